# The workflow lies where the catalogue of Snakemake workflows looks for it; this file stands where people look.
include: "workflow/Snakefile"


workflow.default_target = "all"  # that of an included file does not count
