"""What the study says of the claimed advantages, and of a Neural ODE beside a residual net."""

from __future__ import annotations

import math

from odestudy.analysis.facts import Facts, training_ratio
from odestudy.analysis.values import MISSING, chosen, number
from odestudy.report.sentences import because, sentence, source


def advantages(f: Facts) -> list[str]:
    """Accuracy traded for time, and constant memory, at what price."""
    return [_trade(f), *adjoint(f)]


def adjoint(f: Facts) -> list[str]:
    """Constant memory, and at what price."""
    return [_memory(f), _price_of_the_adjoint(f)]


def _trade(f: Facts) -> str:
    mnist = f("C05a").known
    time, error = (f("C05a"), f("C05b")) if mnist else (f("C05c"), f("C05d"))
    if not (time.known and error.known):
        lacking = error if time.known else time
        return f"Whether a trained net trades accuracy for time is not known yet ({because(lacking)})."
    dataset, where = ("mnist", "MNIST") if mnist else ("digits", "small images of digits")
    loose, tight = (chosen(side["tolerance"]) for side in (time.where, time.against))
    said = (
        f"on {where}{_trained(f, dataset)}, a tolerance of {loose} in place of {tight} takes {time.said} times as long and changes the test error by "
        f"{error.said} ({source(time)}){_euler(f, dataset)}"
    )
    if time.refuted:
        return f"A looser tolerance hardly saves time: {said}."
    if not time.sure:
        return f"Whether a trained net trades accuracy for time is not decided: {said}."
    if error.low > 0:
        return f"A trained net trades accuracy for time, without training again: {said}."
    return f"A trained net can be made faster without training again, at no price that is seen: {said}."


def _trained(f: Facts, dataset: str) -> str:
    rows = f.rows("images_sweep_summary", dataset=dataset)
    return "" if rows.empty else f", after {number(rows['epochs'].iloc[0])} epochs of training"


def _euler(f: Facts, dataset: str) -> str:
    """What the fewest and the most Euler steps do."""
    rows = f.rows("images_sweep_summary", dataset=dataset, test_method="euler")
    if len(rows) < 2:
        return ""
    coarse, fine = (
        rows[rows["test_step"] == h].iloc[0] for h in (rows["test_step"].max(), rows["test_step"].min())
    )
    errors = [f"{number(row['test_error_pct'], 2)} %" for row in (coarse, fine)]
    steps = [f"{1 / row['test_step']:.0f}" for row in (coarse, fine)]
    return f"; solved by Euler's method it errs on {errors[0]} with {steps[0]} step and on {errors[1]} with {steps[1]}"


def _memory(f: Facts) -> str:
    own = f("C04a")
    if not own.known:
        return f"Whether its memory is constant is not known yet ({because(own)})."
    most = own.where["steps"]
    said = (
        f"{number(most / own.against['steps'])} times the steps take {own.said} times the memory (at {most} steps {own.other('64 steps, MiB', 'MiB')}, where "
        f"back-propagation takes {own.other('back-propagation, 64 steps, MiB', 'MiB')} and a residual net of {most} blocks "
        f"{own.other('ResNet of 64 blocks, MiB', 'MiB')})"
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
            f"its gradient is of use only where the state decays slowly, "
            f"while decay rate times time stays below {usable.short} (linear problem, tolerance {chosen(usable.where['rtol'])}; {source(usable)})"
        )
    return sentence(parts, f"what the adjoint costs is not known yet ({because(work)})", ", and ")


def residual_net(f: Facts) -> list[str]:
    """Accuracy, time and parameters, memory."""
    return [_error(f), _costs(f), _memory_beside(f)]


def _error(f: Facts) -> str:
    fact = f("C09a")
    if not fact.known:
        return _digits(f) or f"How the test errors compare is not known yet ({because(fact)})."
    trained = f"{fact.where['epochs']} epochs on MNIST"
    within = -fact.bound <= fact.low and fact.high <= fact.bound
    if fact.row["reason"] == "still_learning" and within:
        verdict = f"so far equal within the margin of {chosen(fact.bound)} points, though both nets are still learning"
    elif not fact.sure:
        verdict = f"which is better is not decided, {because(fact)}"
    elif fact.supported:
        verdict = f"equal within the margin of {chosen(fact.bound)} points"
    else:
        verdict = "worse" if fact.low > 0 else "better" if fact.high < 0 else "neither is better"
    return (
        f"After {trained} the ODE-Net, one Neural ODE in place of residual blocks, errs on {fact.other('ODE-Net, %', '%')} of the test images, a residual net of six "
        f"blocks on {fact.other('ResNet 6, %', '%')} and one of a single block on {fact.other('ResNet 1, %', '%')}: {verdict} "
        f"(a difference of {fact.said} to six blocks; {fact.source})."
    )


def _digits(f: Facts) -> str:
    """What small images say where there are no large ones."""
    found = f.rows("images_equivalence", dataset="digits", arm="odenet_adjoint", other="resnet6")
    if found.empty:
        return ""
    own, six, one = (
        f.cell("images_accuracy_summary", "test_error_pct", "%", dataset="digits", arm=arm)
        for arm in ("odenet_adjoint", "resnet6", "resnet1")
    )
    verdict = {"worse": "worse", "better": "better", "equal": "equal"}.get(
        str(found.iloc[0]["equal"]), "not decided"
    )
    return (
        f"MNIST is not measured yet; on small images of digits the ODE-Net errs on {own} of the test images, a residual net "
        f"of six blocks on {six} and one of a single block on {one}: {verdict} ({number(found.iloc[0]['seeds'])} seeds)."
    )


def _costs(f: Facts) -> str:
    size, single, step = f("C10a"), f("C10b"), f("C11b")
    parts = []
    if step.known:
        parts.append(f"a training step takes {step.said} times as long as with six blocks ({step.source})")
    elif math.isfinite(ratio := training_ratio(f)):
        parts.append(f"training on digits takes {number(ratio, 2)} times as long as with six blocks")
    if size.known:
        rest = f" and {single.short} times those of a single block" if single.known else ""
        parts.append(f"the ODE-Net has {size.short} times the parameters{rest}")
    return sentence(parts, f"what it costs is not known yet ({because(step)})")


def _memory_beside(f: Facts) -> str:
    own = f("C04a")
    if not own.known:
        return f"How the memory compares is not known yet ({because(own)})."
    names = ("64 steps, MiB", "back-propagation, 64 steps, MiB", "ResNet of 64 blocks, MiB")
    adjoint, backprop, blocks = (own.beside[name] for name in names)
    ratios = [number(x / blocks, 2) for x in (adjoint, backprop)]
    if MISSING in ratios:
        return "How the memory compares is not known yet."
    return (
        f"At {own.where['steps']} steps or blocks a training step takes {ratios[0]} times the memory of the residual net with the adjoint, and "
        f"{ratios[1]} times by back-propagation."
    )
