# The study as a table of contents: configuration, rules, and what is made when nothing is named.
#   snakemake                                       the tier of config/study.yaml
#   snakemake --config tier=smoke                   another tier
#   snakemake results/quick/figures/NAME.svg        one figure, with the others of its question
configfile: "config/study.yaml"


include: "workflow/rules/common.smk"
include: "workflow/rules/jobs.smk"
include: "workflow/rules/tables.smk"
include: "workflow/rules/figures.smk"
include: "workflow/rules/report.smk"


rule all:
    default_target: True
    input:
        expand("results/{run}/report/{file}", run=chosen_tier(), file=["index.html", "report.pdf"]),


# One question: its tables and figures, without the report.
rule question:
    input:
        lambda wildcards: tables_of(wildcards.question) + figures_of(wildcards.question, "svg"),
    output:
        touch("results/{run}/{question}.done"),
    log:
        "results/{run}/logs/{question}.done.log",
