def table_metrics(wildcards):
    question, definition = study(wildcards.run).tables[wildcards.table]
    return metrics_of(wildcards.run, question, definition["experiments"])


# Hashes of code are functions, so that a process that runs one job, as on a cluster, reads no code but the job's.
# One table of a question: one row a run, in the order of the job list; and means and intervals over seeds.
rule table:
    input:
        table_metrics,
    output:
        table="results/{run}/tables/{table}.csv",
        summary="results/{run}/tables/{table}_summary.csv",
    log:
        "results/{run}/logs/tables/{table}.log",
    params:
        code=lambda wildcards: code_hash("odestudy.analysis.tables", "odestudy.analysis.csvs"),
        request=request("table", "table"),
        config=lambda wildcards: study(wildcards.run).fingerprint,
    shell:
        STEP


# Every job with its provenance.
rule jobs_table:
    input:
        lambda wildcards: [
            m for q, e in study(wildcards.run).jobs_by for m in metrics_of(wildcards.run, q, [e])
        ],
    output:
        "results/{run}/tables/jobs.csv",
    log:
        "results/{run}/logs/tables/jobs.log",
    params:
        code=lambda wildcards: code_hash("odestudy.analysis.tables", "odestudy.analysis.csvs"),
        request=request("jobs_table"),
        config=lambda wildcards: study(wildcards.run).fingerprint,
    shell:
        STEP


# The verdict on every claim, from the tables.
rule ledger:
    input:
        tables=lambda wildcards: expand(
            "results/{run}/tables/{table}.csv", run=wildcards.run, table=study(wildcards.run).tables
        ),
        claims="config/claims.yaml",
    output:
        "results/{run}/tables/ledger.csv",
    log:
        "results/{run}/logs/tables/ledger.log",
    params:
        code=lambda wildcards: code_hash("odestudy.analysis.ledger", "odestudy.analysis.csvs"),
        request=request("ledger"),
        config=lambda wildcards: study(wildcards.run).fingerprint,
    shell:
        STEP
