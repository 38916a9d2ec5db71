"""A GPU without memory (simulated) and a NaN, in each family of tasks of densities and dynamics: a status of one row."""

from __future__ import annotations

import pytest
import torch

from odestudy.densities import adversary, training
from odestudy.questions.density import ways
from odestudy.recovery import learning
from odestudy.recovery import training as recovery
from odestudy.recovery.shooting import Windows
from odestudy.runtime.registry import find_task
from odestudy.study import load_study

MESSAGE = "CUDA out of memory. Tried to allocate 2.00 GiB."
MEASURED = ("_s", "peak_mib")
# Of a batch of seeds one row bears the cost, as the mean of the batch.
COST = {"seeds_in_batch", "nfe_forward", "nfe_backward", "accepted_steps", "rejected_steps", "saved_mib"}
SHORT = {"iterations": 4, "samples": 32, "grid_points": 20}
# Experiment -> what makes it short, the calls of `backward` at which memory is out, and whose rows that ends.
CASES = {
    ("dynamics", "crash"): ({"growths": [1.0], "gradient": "backprop"}, {0}, {"seed": 0}),
    ("density", "trained"): (SHORT | {"methods": {"rk4": 2}, "integral_steps": [1]}, {2}, {"seed": 0}),
    ("density", "ways_training"): (
        {"dimensions": [2], "repeats": 1, "ways": ["trace", "logdet"]},
        {0},
        {"seed": 0, "way": "trace"},
    ),
    ("density", "steep"): ({"iterations": 3, "methods": {"rk4": 2}}, {1}, {"seed": 0}),
    ("density", "coarse"): (SHORT | {"coarse_steps": [2]}, {2}, {"seed": 0}),
    ("density", "models"): (SHORT | {"picture_points": 8}, {2}, {"seed": 0}),
    ("density", "reach_fine"): ({"iterations": 4}, {2}, {"seed": 0}),
    ("density", "modes"): (SHORT | {"game_iterations": 3}, {2}, {"seed": 0}),
    ("dynamics", "conditioning"): (
        {"iterations": 4, "ks": [10.0], "seeds": [0]},
        {2},
        {"seed": 0, "arm": "plain"},
    ),
    # A stack without memory is taken up seed by seed, so the first of these has none either.
    ("dynamics", "stiff"): ({"iterations": 4, "points": 20}, {2, 3}, {"seed": 0}),
    ("dynamics", "unstable_start"): ({"iterations": 4, "points": 20}, {2}, {"seed": 0}),
    ("dynamics", "baselines"): ({"baselines": ["gradient_matching"], "fit_iterations": 4}, {2}, {"seed": 0}),
    ("dynamics", "cost"): ({"repeats": 1}, {2}, {"seed": 0}),
    ("dynamics", "fast_modes"): ({"ks": [1.0, 2.0]}, {0}, {"k": 1.0}),
}


@pytest.fixture(scope="module")
def study(root):
    return load_study(root, "smoke")


def cut_down(study, experiment, **changes):
    return study.jobs_by[experiment][0].spec | {"seeds": [0, 1]} | changes


def run(spec):
    """Arrays, and rows without what is measured."""
    outcome = find_task(spec["task"])(dict(spec), "cpu")
    rows = {
        kind: [{k: v for k, v in row.items() if not k.endswith(MEASURED) and k not in COST} for row in part]
        for kind, part in outcome.rows.items()
    }
    return outcome.arrays, rows


def others(rows, key):
    """The rows of which not all of `key` is true."""
    return {kind: [row for row in part if not key.items() <= row.items()] for kind, part in rows.items()}


def alike(value):
    """What compares equal to the same rows and arrays up to rounding: kernels depend on the size of a batch."""
    if isinstance(value, dict):
        return {name: alike(one) for name, one in value.items()}
    if isinstance(value, list):
        return [alike(one) for one in value]
    return value if value is None or isinstance(value, str) else pytest.approx(value, rel=1e-6, nan_ok=True)


def out_of_memory(original, calls):
    """`original`, but at some of its calls, counted from 0, there is no memory left."""
    count = iter(range(10**9))

    def work(*arguments, **options):
        if next(count) in calls:
            raise torch.OutOfMemoryError(f"{MESSAGE}\nGPU 0 has ...")
        return original(*arguments, **options)

    return work


def lost(rows):
    return [row for part in rows.values() for row in part if row["status"] == "out_of_memory"]


@pytest.mark.parametrize("experiment", CASES, ids="-".join)
def test_out_of_memory_is_the_status_of_one_row_and_the_others_are_as_undisturbed(
    study, monkeypatch, experiment
):
    changes, calls, key = CASES[experiment]
    spec = cut_down(study, experiment, **changes)
    _, whole = run(spec)
    assert not lost(whole)
    monkeypatch.setattr(torch.Tensor, "backward", out_of_memory(torch.Tensor.backward, calls))
    _, rows = run(spec)
    (row,) = lost(rows)
    assert key.items() <= row.items()
    assert row["message"].endswith(MESSAGE)
    assert others(rows, key) == alike(others(whole, key))
    assert any(others(rows, key).values())


def test_each_task_of_densities_and_dynamics_is_tried(study):
    """What has no backward pass has a test of its own."""
    tasks = {
        job.task
        for (question, _), jobs in study.jobs_by.items()
        if question in ("density", "dynamics")
        for job in jobs
    }
    tried = {study.jobs_by[experiment][0].task for experiment in CASES}
    assert tasks - tried == {"density_fit.in_time", "density_digits.digits", "density_gap.linear"}


@pytest.mark.parametrize(
    ("call", "row"), [(0, {"seed": 0, "model": "cnf"}), (4, {"seed": 0, "model": "realnvp"})]
)
@pytest.mark.parametrize(("experiment", "second"), [("models_time", "kde"), ("digits", "matching")])
def test_out_of_memory_ends_a_model_at_equal_time_or_with_the_flow_those_of_its_seed(
    study, monkeypatch, experiment, second, call, row
):
    """How many steps fit into a time is not repeatable, so that only statuses can be compared."""
    spec = cut_down(study, ("density", experiment), iterations=4, samples=32, models=["realnvp", second])
    monkeypatch.setattr(torch.Tensor, "backward", out_of_memory(torch.Tensor.backward, {call}))
    _, rows = run(spec)
    (ended,) = lost(rows)
    assert row.items() <= ended.items()
    assert ended["message"].endswith(MESSAGE)
    names = ["cnf", "realnvp", second]
    done = [(0, n) for n in (["cnf"] if call == 0 else names)] + [(1, n) for n in names]
    assert [(r["seed"], r["model"]) for r in rows["runs"]] == done
    assert all(r["status"] == "ok" for r in rows["runs"] if r is not ended)


def test_a_way_that_has_no_memory_leaves_the_other_ways(study, monkeypatch):
    spec = cut_down(study, ("density", "ways"), dimensions=[2, 4], repeats=1)
    _, whole = run(spec)
    monkeypatch.setattr(ways, "transport", out_of_memory(ways.transport, {3}))
    _, rows = run(spec)
    (ended,) = lost(rows)
    key = {name: ended[name] for name in ("seed", "d", "way")}
    kept, wanted = ({"runs": part["runs"]} for part in (rows, whole))
    assert others(kept, key) == alike(others(wanted, key))


@pytest.mark.parametrize("experiment", ["recover", "gated_multiple"])
def test_a_stack_of_seeds_without_memory_trains_each_by_itself(study, monkeypatch, experiment):
    spec = cut_down(study, ("dynamics", experiment), iterations=4)
    alone = [run(spec | {"seeds": [seed]}) for seed in spec["seeds"]]
    with monkeypatch.context() as patch:  # the stack's third step
        patch.setattr(torch.Tensor, "backward", out_of_memory(torch.Tensor.backward, {2}))
        arrays, rows = run(spec)
    assert rows["runs"] == alike([one["runs"][0] for _, one in alone])
    same = alone[spec["seeds"].index(int(arrays["seed"]))][0]
    worst = alone[spec["seeds"].index(int(arrays.pop("worst_seed")))][0]
    assert arrays.pop("worst_learnt") == alike(worst["learnt"])
    assert arrays == alike({name: same[name] for name in same.keys() - {"worst_seed", "worst_learnt"}})
    with monkeypatch.context() as patch:  # and the third step of the second seed
        patch.setattr(torch.Tensor, "backward", out_of_memory(torch.Tensor.backward, {2, 9}))
        _, rows = run(spec)
    assert rows["runs"][0] == alike(alone[0][1]["runs"][0])
    assert lost(rows) == rows["runs"][1:]
    assert rows["runs"][1]["seed"] == 1
    assert rows["runs"][1]["message"] == f"iteration 2: {MESSAGE}"


def test_a_seed_that_cannot_be_judged_leaves_the_others(study, monkeypatch):
    spec = cut_down(study, ("dynamics", "recover"), iterations=2)
    _, whole = run(spec)
    monkeypatch.setattr(learning, "judge", out_of_memory(learning.judge, {0}))
    arrays, rows = run(spec)
    (row,) = lost(rows)
    assert (row["seed"], row["message"]) == (0, MESSAGE)
    assert others(rows, {"seed": 0}) == alike(others(whole, {"seed": 0}))
    assert int(arrays["seed"]) == 1


def test_a_bug_stays_an_exception(study, monkeypatch):
    def broken(*arguments, **options):
        raise RuntimeError("mat1 and mat2 shapes cannot be multiplied")

    monkeypatch.setattr(torch.Tensor, "backward", broken)
    for experiment in (("density", "reach_fine"), ("dynamics", "recover")):
        with pytest.raises(RuntimeError, match="mat1 and mat2"):
            run(cut_down(study, experiment, iterations=4))


# --- a NaN at step k


def test_a_nan_in_a_flows_parameter_ends_its_seed_at_that_iteration(study, monkeypatch):
    spec = cut_down(study, ("density", "models"), **SHORT, picture_points=0)
    _, whole = run(spec)
    original, calls = training.log_density, iter(range(10**9))

    def poisoned(field, *arguments):
        if next(calls) == 2:
            field.last.weight.data[0, 0] = torch.nan
        return original(field, *arguments)

    monkeypatch.setattr(training, "log_density", poisoned)
    _, rows = run(spec)
    row = rows["runs"][0]
    assert (row["status"], row["message"]) == ("non_finite", "loss is not finite at iteration 2")
    assert others(rows, {"seed": 0}) == alike(others(whole, {"seed": 0}))


def test_a_nan_in_a_generators_parameter_ends_its_seed_at_the_next_iteration(study, monkeypatch):
    spec = cut_down(study, ("density", "modes"), **SHORT, game_iterations=4)
    _, whole = run(spec)
    original, calls = adversary._descend, iter(range(10**9))

    def poisoned(optimizer, loss, i):
        original(optimizer, loss, i)
        if next(calls) == 3:  # the generator's own second step
            optimizer.param_groups[0]["params"][0].data.view(-1)[0] = torch.nan

    monkeypatch.setattr(adversary, "_descend", poisoned)
    _, rows = run(spec)
    row = rows["runs"][0]
    assert (row["status"], row["message"]) == ("non_finite", "loss is not finite at iteration 2")
    assert others(rows, {"seed": 0}) == alike(others(whole, {"seed": 0}))


@pytest.mark.parametrize("experiment", ["recover", "gated_multiple"])
def test_a_nan_in_one_model_of_a_stack_ends_that_seed_at_that_iteration(study, monkeypatch, experiment):
    spec = cut_down(study, ("dynamics", experiment), seeds=[0, 1, 2], iterations=6)
    _, whole = run(spec)
    original, calls = recovery.step, iter(range(10**9))

    def poisoned(shooting, optimizer):
        if next(calls) == 3:
            next(shooting.models.parameters()).data[1].view(-1)[0] = torch.nan
        return original(shooting, optimizer)

    monkeypatch.setattr(recovery, "step", poisoned)
    _, rows = run(spec)
    row = rows["runs"][1]
    assert (row["seed"], row["status"], row["iterations_done"]) == (1, "non_finite", 3)
    assert row["message"].startswith("iteration 3: ")
    assert others(rows, {"seed": 1}) == alike(others(whole, {"seed": 1}))


def test_a_nan_in_one_loss_ends_that_seed_with_the_weights_that_it_had(study, monkeypatch):
    spec = cut_down(study, ("dynamics", "recover"), seeds=[0, 1, 2], iterations=6)
    _, whole = run(spec)
    original, calls = Windows.losses, iter(range(10**9))

    def poisoned(self):
        found = original(self)
        return found * torch.tensor([1.0, torch.nan, 1.0]) if next(calls) == 3 else found

    monkeypatch.setattr(Windows, "losses", poisoned)
    _, rows = run(spec)
    row = rows["runs"][1]
    assert (row["status"], row["message"]) == ("non_finite", "iteration 3: the loss is not finite")
    assert row["field_error_pct"] > 0
    assert others(rows, {"seed": 1}) == alike(others(whole, {"seed": 1}))
