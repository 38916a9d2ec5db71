# All figures of a question, in one process, from tables and arrays: SVG, PDF, PNG at 300 dpi, caption, and GIF of those
# that move. `odestudy figure NAME` draws one alone.
for question, spec in study(chosen_tier()).questions.items():

    rule:
        name:
            f"figures_{question}"
        input:
            tables=tables_of(question),
            metrics=files_behind(question, "figures", "arrays", "metrics.json"),
            arrays=files_behind(question, "figures", "arrays", "arrays.npz"),
        output:
            [
                report(
                    f"results/{{run}}/figures/{name}.svg",
                    caption="../report/figure.rst",
                    category=question,
                    labels={"figure": about["title"]},
                )
                for name, about in spec["figures"].items()
            ],
            figures_of(question, "pdf", "png", "json"),
        log:
            f"results/{{run}}/logs/figures/{question}.log",
        benchmark:
            f"results/{{run}}/benchmarks/figures_{question}.tsv"
        localrule: True
        conda:
            "../envs/report.yml"
        params:
            code=figures_code(question),
            question=question,
            study=of_study,
            config=words_fingerprint(question),
        script:
            "../scripts/figures.py"
