"""A rule against the data: which came first, and what a row refers to."""

from __future__ import annotations

import re

import yaml

from odestudy.analysis.ledger import judge
from odestudy.analysis.stored_rules import stored_rules
from odestudy.runtime.store import write_metrics
from odestudy.study import load_study
from odestudy.study.estimands import rule_hash
from odestudy.study.planned import rules_of_jobs
from tests.analysis.rows import claim, recovery


def test_a_rule_that_changed_since_its_data_were_made_leaves_the_row_open(quick):
    table = {"dynamics_recovery": recovery([1.0, 1.1, 0.9, 1.0, 1.05])}
    before = rule_hash(claim(rule={"high": 50.0}))
    found = judge(claim(), quick, table, {before})
    assert (found.verdict, found.rule_changed) == ("open", True)
    assert judge(claim(), quick, table, {rule_hash(claim())}).verdict == "supported"
    reworded = claim() | {"says": "other words", "note": "and a note"}
    assert judge(reworded, quick, table, {rule_hash(claim())}).verdict == "supported"


def test_a_question_whose_resolution_or_estimand_changed_is_open_like_a_claim(quick):
    table = {"dynamics_recovery": recovery([1.0, 1.1, 0.9, 1.0, 1.05])}
    asked = claim(rule={}, kind="question", resolution=5.0)
    asked.pop("rule")
    assert judge(asked, quick, table, {rule_hash(asked)}).verdict == "answered"
    for earlier in (asked | {"resolution": 0.01}, asked | {"estimand": asked["estimand"] | {"scale": "log"}}):
        found = judge(asked, quick, table, {rule_hash(earlier)})
        assert (found.verdict, found.reason) == ("open", "rule_changed")


def test_jobs_tell_the_rules_that_they_were_run_for_and_that_a_row_came_later(root, tmp_path):
    study = load_study(root, "smoke")
    object.__setattr__(study, "root", tmp_path)
    claim_rules = rules_of_jobs(study)
    folder, rows = next((f, r) for f, r in claim_rules.items() if len(r) > 1)
    known, later = list(rows)[:2]
    content = {
        "spec": study.jobs[folder].spec,
        "rows": {},
        "provenance": {},
        "code": "c",
        "rules": {known: rows[known]},
    }
    write_metrics(study.jobs[folder].metrics(study.results), content, {})
    found = stored_rules(study)
    assert found[known] == {rows[known]}
    assert found[later] == {""}


def test_every_estimand_names_a_table_column_and_axis_that_exist(root):
    study = load_study(root, "quick")
    for c in study.claims:
        if "estimand" in c:
            e = c["estimand"]
            question, definition = study.tables[e["table"]]
            known = set(study.questions[question]["columns"]) | {"seed"}
            for experiment in definition["experiments"]:
                known |= set(study.questions[question]["experiments"][experiment].get("grid", {}))
            used = {e["column"], *e.get("where", {}), *e.get("against", {})} | {
                e[k] for k in ("over", "denominator") if k in e
            }
            assert used <= known, f"{c['id']}: {used - known}"


def test_the_sources_of_all_claims_are_in_the_bibliography(root):
    documents = yaml.safe_load((root / "config/study.yaml").read_text())["documents"]
    bibliography = (root / "report/references.bib").read_text()
    for key in documents.values():
        assert f"{{{key}," in bibliography
    claims = load_study(root, "quick").claims
    assert {s.split()[0] for c in claims for s in c["sources"]} <= set(documents)


def test_nothing_is_named_that_nothing_uses(root):
    for page in (root / "config/claims").glob("*.yaml"):
        text = page.read_text(encoding="utf-8")
        names = yaml.safe_load(text).get("measures", {})
        assert [name for name in names if len(re.findall(rf"\b{name}\b", text)) < 2] == [], page.name
    keys = re.findall(r"@\w+\{([^,]+),", (root / "report/references.bib").read_text(encoding="utf-8"))
    where = [
        *(root / "report").rglob("*.j2"),
        *(root / "config").rglob("*.yaml"),
        *(root / "src").rglob("*.py"),
    ]
    text = "".join(page.read_text(encoding="utf-8") for page in where)
    assert [key for key in keys if key not in text] == []
