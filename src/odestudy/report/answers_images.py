"""What the study says of the claimed advantages, and of a Neural ODE beside a residual net."""

from __future__ import annotations

import math

from odestudy.analysis.facts import Fact, Facts, error_on_mnist, training_ratio
from odestudy.analysis.peaks import BLOCKS, growth, peaks, untrained_step
from odestudy.analysis.values import MISSING, chosen, interval, number
from odestudy.report.sentences import because, sentence, source
from odestudy.report.step_times import IMAGES as TRAINING_IMAGES

SETS = {"mnist": "MNIST", "digits": "small images of digits"}


def advantages(f: Facts) -> list[str]:
    """Accuracy traded for time, and constant memory, at what price."""
    return [_trade(f), *adjoint(f)]


def adjoint(f: Facts) -> list[str]:
    """Constant memory, and at what price."""
    return [_memory(f), _price_of_the_adjoint(f)]


def _trade(f: Facts) -> str:
    mnist = f("C05e").known
    dataset = "mnist" if mnist else "digits"
    time, error = (f("C05e"), f("C05f")) if mnist else (f("C05c"), f("C05d"))
    if not (time.known and error.known):
        lacking = error if time.known else time
        return f"Whether a trained net trades accuracy for time is not known yet ({because(lacking)})."
    euler = _fewer_steps(f, dataset, "euler")
    said = f"after {_epochs(f, dataset)}{_change(time, error)}{euler} ({source(time)})"
    tolerance = f("C05a"), f("C05b")
    if mnist and all(fact.known for fact in tolerance):
        said += f"; {_change(*tolerance)} ({source(tolerance[0])})"
    if mnist and (small := _fewer_steps(f, "digits", "rk4", finest=time.against["test_step"])):
        seeds = f.rows("images_sweep_summary", dataset="digits")["ok"].min()
        said += f"; on {SETS['digits']}, after {_epochs(f, 'digits')}{small.removeprefix('; ')} ({seeds:.0f} seeds)"
    where = f"on {SETS[dataset]}"
    if time.refuted:
        return f"A coarser step or a looser tolerance hardly saves time {where}: {said}."
    if not time.sure:
        return f"Whether a trained net trades accuracy for time {where} is not decided: {said}."
    if error.low > 0:
        return f"A trained net trades accuracy for time, without training again, {where}: {said}."
    how = " by RK4" if mnist else ""
    return f"A trained net can be made faster without training again, {where}{how} at no loss of accuracy that is seen: {said}."


def _change(time: Fact, error: Fact) -> str:
    """What a coarser step or a looser tolerance does."""
    if "test_step" in time.against:
        coarse, fine = (f"{1 / side['test_step']:.0f}" for side in (time.where, time.against))
        instead = f"{coarse} step of RK4 in place of {fine}"
    else:
        coarse, fine = (chosen(side["tolerance"]) for side in (time.where, time.against))
        instead = f"a tolerance of {coarse} in place of {fine}"
    return f"{instead} takes {time.said} times as long and changes the test error by {error.said}"


def _epochs(f: Facts, dataset: str) -> str:
    rows = f.rows("images_sweep_summary", dataset=dataset)
    if rows.empty:
        return "training, "
    epochs = int(rows["epochs"].iloc[0])
    return f"{epochs} epoch{'s' * (epochs != 1)} of training, "


METHODS = {"euler": "Euler's method", "rk4": "RK4"}


def _fewer_steps(f: Facts, dataset: str, method: str, finest: float = 0.0) -> str:
    """What the fewest steps in place of many, at most of length `finest`, cost in accuracy, and save in time."""
    rows = f.rows("images_sweep_summary", dataset=dataset, test_method=method)
    rows = rows[rows["test_step"] >= finest] if len(rows) else rows
    if len(rows) < 2 or rows[["eval_s", "test_error_pct"]].isna().any(axis=None):
        return ""
    coarse, fine = (
        rows[rows["test_step"] == h].iloc[0] for h in (rows["test_step"].max(), rows["test_step"].min())
    )
    columns = [f"test_error_pct{end}" for end in ("", "_low", "_high")]
    errors = []
    for row in (coarse, fine):
        value, low, high = (float(row.get(column, math.nan)) for column in columns)
        errors.append(interval(value, low, high, "%", 2))
    steps = [f"{1 / row['test_step']:.0f}" for row in (coarse, fine)]
    time = number(coarse["eval_s"] / fine["eval_s"], 2)
    return (
        f"; by {METHODS[method]} {steps[0]} step in place of {steps[1]} takes {time} times as long, and the net errs on {errors[0]} "
        f"in place of {errors[1]}"
    )


def _memory(f: Facts) -> str:
    own = growth(f)
    if not own.known:
        return f"Whether its memory is constant is not known yet ({because(own)})."
    most = own.where["steps"]
    said = (
        f"{number(most / own.against['steps'])} times the steps take {own.said} times the memory (at {most} steps {own.other('64 steps, MiB', 'MiB')}, where "
        f"back-propagation takes {own.other('back-propagation, 64 steps, MiB', 'MiB')} and a residual net of {most} blocks "
        f"{own.other('ResNet of 64 blocks, MiB', 'MiB')}; {own.source})"
    )
    if own.sure:
        grows = "does not grow" if own.supported else "grows"
        return (
            f"With the adjoint (the gradient from a second ODE, solved backward in time) the memory of a training step "
            f"{grows} with the solver's steps: {said}."
        )
    return f"Whether the memory of a training step is constant with the adjoint is not decided: {said}."


def _price_of_the_adjoint(f: Facts) -> str:
    work, usable = f("C29a"), f("C24c")
    parts = []
    if work.known:
        price = (
            "its price is work"
            if work.low > 1
            else "it even saves work"
            if work.high < 1
            else "it hardly costs work"
        )
        parts.append(f"{price}, {work.said} times the evaluations of back-propagation ({source(work)})")
    if usable.known:
        parts.append(
            f"on a linear problem its gradient is of use until decay rate times time passes {usable.short} (tolerance "
            f"{chosen(usable.where['rtol'])}; {source(usable)})"
        )
    return sentence(parts, f"what the adjoint costs is not known yet ({because(work)})", "; ")


def residual_net(f: Facts) -> list[str]:
    """Accuracy, time and parameters, memory."""
    return [_error(f), _costs(f), _memory_beside(f)]


def _error(f: Facts) -> str:
    fact = error_on_mnist(f)
    if not fact.known:
        return _digits(f) or f"How the test errors compare is not known yet ({because(fact)})."
    trained = f"{fact.where['epochs']} epochs on MNIST's {TRAINING_IMAGES:,} training images"
    within = -fact.bound <= fact.low and fact.high <= fact.bound
    if fact.row["reason"] == "still_learning" and within:
        verdict = f"so far equal within the margin of {chosen(fact.bound)} points, though the ODE-Net is still learning"
    elif not fact.sure:
        verdict = f"which is better is not decided, {because(fact)}"
    elif fact.supported:
        verdict = f"equal within the margin of {chosen(fact.bound)} points"
    else:
        verdict = "worse" if fact.low > 0 else "better" if fact.high < 0 else "neither is better"
    apart = _controls_apart(f, fact)
    return (
        f"After {trained} the ODE-Net, one Neural ODE in place of residual blocks, errs on {fact.other('ODE-Net, %', '%')} of the test images, a residual net of six "
        f"blocks on {fact.other('ResNet 6, %', '%')}{'' if apart else f', {_controls(fact)}'}: {verdict} "
        f"(a difference of {fact.said} to six blocks, published were "
        f"{fact.other('published, ODE-Net, %', '%')} and {fact.other('published, ResNet, %', '%')}; {fact.source}){apart}."
    )


CONTROLS = ("ResNet 1, %", "six tied steps, %")


def _controls(fact: Fact) -> str:
    """The nets with as many parameters as the ODE-Net."""
    one, tied = (fact.other(name, "%") for name in CONTROLS)
    return f"one of a single block on {one} and one block that is applied six times on {tied}"


def _learning(fact: Fact) -> str:
    return "the ODE-Net is still learning; " if fact.row["reason"] == "still_learning" else ""


def _controls_apart(f: Facts, fact: Fact) -> str:
    """The controls after the shorter training, where the longer one has none; "" where it has."""
    shorter = f("C09a")
    known = [not any(math.isnan(each.beside[name]) for name in CONTROLS) for each in (fact, shorter)]
    if known[0] or not known[1]:
        return ""
    return (
        f"; after {shorter.where['epochs']} epochs the ODE-Net errs on {shorter.other('ODE-Net, %', '%')}, a residual net of six "
        f"blocks on {shorter.other('ResNet 6, %', '%')}, {_controls(shorter)} ({_learning(shorter)}{shorter.source})"
    )


def _digits(f: Facts) -> str:
    """What small images say where there are no large ones."""
    found = f.rows("images_equivalence", dataset="digits", arm="odenet_adjoint", other="resnet6")
    if found.empty:
        return ""
    own, six, one, tied = (
        f.cell("images_accuracy_summary", "test_error_pct", "%", dataset="digits", arm=arm)
        for arm in ("odenet_adjoint", "resnet6", "resnet1", "tied6")
    )
    verdict = {"worse": "worse", "better": "better", "equal": "equal"}.get(
        str(found.iloc[0]["equal"]), "not decided"
    )
    return (
        f"MNIST is not measured yet; on small images of digits the ODE-Net errs on {own} of the test images, a residual net "
        f"of six blocks on {six}, one of a single block on {one} and one block that is applied six times on {tied}: {verdict} ({number(found.iloc[0]['seeds'])} seeds)."
    )


def _costs(f: Facts) -> str:
    size, single, step, equal = f("C10a"), f("C10b"), f("C11b"), f("C11a")
    parts = []
    if step.known:
        beside = ""
        if math.isfinite(ratio := untrained_step(f)):
            own = growth(f)
            where = "on a processor" if own.on_processor else "where memory is measured"
            beside = f", an untrained net's {number(ratio, 2)} times ({where}{_of_tier(own)})"
        parts.append(
            f"a training step takes {step.said} times as long as with six blocks ({source(step)}){beside}"
        )
    elif math.isfinite(ratio := training_ratio(f)):
        parts.append(f"training on digits takes {number(ratio, 2)} times as long as with six blocks")
    if equal.known:
        parts.append(
            f"to the same test error the ODE-Net trains {equal.said} times as long ({source(equal)})"
        )
    if size.known:
        rest = f" and {single.short} times those of a single block" if single.known else ""
        parts.append(f"{'it' if equal.known else 'the ODE-Net'} has {size.short} times the parameters{rest}")
    return sentence(parts, f"what it costs is not known yet ({because(step)})")


def _of_tier(fact: Fact) -> str:
    return f", tier {fact.row['tier']}" if fact.known and fact.row["tier"] != fact.tier else ""


def _memory_beside(f: Facts) -> str:
    own, found = growth(f), peaks(f)
    parts = []
    if found:
        adjoint, backprop, blocks = (
            f"{number(n, 2)} MiB" for n in (found.adjoint, found.backprop, found.blocks)
        )
        tier = ""
        if found.dataset == "mnist":
            adjoint, backprop, blocks = (
                f.cell("images_peaks_summary", "peak_mib", "MiB", dataset="mnist", arm=arm, steps=steps)
                for arm, steps in (("odenet_adjoint", None), ("odenet_backprop", None), ("resnet6", BLOCKS))
            )
            tier = f" (intervals over processes{_of_tier(own)})"
        parts.append(
            f"on {SETS[found.dataset]}, with the adaptive solver, a training step takes {adjoint} by adjoint and {backprop} by "
            f"back-propagation, one of a residual net of {BLOCKS} blocks {blocks}{tier}"
        )
    if (
        own.known
        and (ratio := number(own.beside["64 steps, MiB"] / own.beside["ResNet of 64 blocks, MiB"], 2))
        != MISSING
    ):
        parts.append(
            f"at {own.where['steps']} steps or blocks the adjoint takes {ratio} times the memory of the residual net"
        )
    return sentence(parts, f"how the memory compares is not known yet ({because(own)})")
