def report_tables(wildcards):
    names = [name for table in study(wildcards.run).tables for name in (table, f"{table}_summary")]
    return expand("results/{run}/tables/{table}.csv", run=wildcards.run, table=[*names, "jobs"])


def report_figures(wildcards):
    figures = {name: definition for name, (_, definition) in study(wildcards.run).figures.items()}
    return figure_files(wildcards.run, figures, "json")


# The report: one HTML file that needs no network, and a PDF.
rule report:
    input:
        tables=report_tables,
        figures=report_figures,
        ledger="results/{run}/tables/ledger.csv",
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
    params:
        code=lambda wildcards: code_hash("odestudy.report.context"),
        request=request("report"),
        config=lambda wildcards: study(wildcards.run).fingerprint,
    shell:
        STEP


# The sums of all files of a published folder, made when all else is there.
rule manifest:
    input:
        "results/{run}/report/index.html",
    output:
        "results/{run}/manifest.sha256",
    log:
        "results/{run}/logs/manifest.log",
    params:
        request=request("manifest"),
    shell:
        STEP
