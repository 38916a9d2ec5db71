def figure_tables(wildcards):
    question, definition = study(wildcards.run).figures[wildcards.figure]
    names = [name for table in definition["tables"] for name in (table, f"{table}_summary")]
    return expand("results/{run}/tables/{table}.csv", run=wildcards.run, table=names)


def figure_metrics(wildcards):
    question, definition = study(wildcards.run).figures[wildcards.figure]
    return metrics_of(wildcards.run, question, definition.get("arrays", []))


# One figure, from tables and arrays: SVG, PDF, PNG at 300 dpi, and its caption.
rule figure:
    input:
        tables=figure_tables,
        metrics=figure_metrics,
    output:
        svg=report(
            "results/{run}/figures/{figure}.svg",
            caption="../report/figure.rst",
            category=lambda wildcards: study(wildcards.run).figures[wildcards.figure][0],
            labels=lambda wildcards: {"figure": study(wildcards.run).figures[wildcards.figure][1]["title"]},
        ),
        pdf="results/{run}/figures/{figure}.pdf",
        png="results/{run}/figures/{figure}.png",
        json="results/{run}/figures/{figure}.json",
    log:
        "results/{run}/logs/figures/{figure}.log",
    params:
        code=lambda wildcards: code_hash(
            f"odestudy.figures.{wildcards.figure}", "odestudy.figures.base"
        ),
        title=lambda wildcards: study(wildcards.run).figures[wildcards.figure][1]["title"],
        request=request("figure", "figure"),
        config=lambda wildcards: study(wildcards.run).fingerprint,
    shell:
        STEP


# The moving picture of a figure that the question calls animated: GIF, for the HTML report.
rule animation:
    input:
        tables=figure_tables,
        metrics=figure_metrics,
    output:
        "results/{run}/figures/{figure}.gif",
    log:
        "results/{run}/logs/figures/{figure}.gif.log",
    params:
        code=lambda wildcards: code_hash(
            f"odestudy.figures.{wildcards.figure}", "odestudy.figures.base"
        ),
        request=request("animation", "figure"),
        config=lambda wildcards: study(wildcards.run).fingerprint,
    shell:
        STEP
