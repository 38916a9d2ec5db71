# The report: one HTML file that needs no network, and a PDF.
rule report:
    input:
        tables=all_of(tables_of),
        ledger=rules.ledger.output,
        figures=all_of(figures_of, "json"),
        solvers=[str(p.relative_to(ROOT)) for p in sorted((ROOT / "benchmarks/results").glob("solvers-*"))],
        templates=sorted(str(p.relative_to(ROOT)) for p in (ROOT / "report").rglob("*.*") if p.is_file()),
    output:
        html=report(
            "results/{run}/report/index.html",
            caption="../report/report.rst",
            category="report",
            labels={"figure": "the whole report"},
        ),
        pdf="results/{run}/report/report.pdf",
        markdown="results/{run}/report/report.md",
    log:
        "results/{run}/logs/report.log",
    benchmark:
        "results/{run}/benchmarks/report.tsv"
    localrule: True
    conda:
        "../envs/report.yml"
    params:
        code=lambda wildcards: code_hash("odestudy.report.make"),
        study=of_study,
        config=report_fingerprint,
    script:
        "../scripts/report.py"
