# All tables of a question, in one process: rows in the order of the job list, and means and intervals over seeds.
# Hashes of code are functions, so that a process that runs one batch, as on a cluster, reads no code but the batches'.
for question in study(chosen_tier()).questions:

    rule:
        name:
            f"tables_{question}"
        input:
            files_behind(question, "tables", "experiments", "metrics.json"),
            batches_behind(question),
        output:
            tables_of(question),
        log:
            f"results/{{run}}/logs/tables/{question}.log",
        benchmark:
            f"results/{{run}}/benchmarks/tables_{question}.tsv"
        localrule: True
        conda:
            "../envs/report.yml"
        params:
            code=tables_code(question),
            question=question,
            study=of_study,
            config=numbers_fingerprint(question),
        script:
            "../scripts/tables.py"


# The verdict on every claim, from the tables, and every job with its provenance.
rule ledger:
    input:
        tables=all_of(tables_of),
        metrics=every_metrics,
        others=other_ledgers,
    output:
        ledger="results/{run}/tables/ledger.csv",
        whole="results/{run}/tables/whole_ledger.csv",
        headlines="results/{run}/tables/headlines.csv",
        jobs="results/{run}/tables/jobs.csv",
    log:
        "results/{run}/logs/tables/ledger.log",
    benchmark:
        "results/{run}/benchmarks/ledger.tsv"
    localrule: True
    conda:
        "../envs/report.yml"
    params:
        code=lambda wildcards: code_hash("odestudy.analysis.ledger", "odestudy.analysis.tables"),
        study=of_study,
        config=ledger_fingerprint,
    script:
        "../scripts/ledger.py"
