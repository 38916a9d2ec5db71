"""Parameters of this question's tasks: one class a task, with types, bounds and a description each."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from odestudy.runtime.names import names_in
from odestudy.runtime.parameters import Count, Parameters, Positive, Positives, Values, one_of

TABLEAUS = names_in("odestudy.ode._methods", "TABLEAUS")
IMPLICIT = ("implicit_euler", "trapezoid", "implicit_midpoint", "kvaerno3", "kvaerno5", "rodas5p")
Method = Annotated[str, one_of([*TABLEAUS, *IMPLICIT, "auto"])]
Library = Literal["odestudy", "torchdiffeq"]
Gradient = Literal["backprop", "adjoint", "adjoint_seminorm", "quadrature", "checkpointed"]
Loss = Literal["mean_square", "normalised"]
Precisions = Annotated[list[Literal["float32", "float64"]], Field(min_length=1)]
Baselines = Annotated[
    list[Literal["true_form", "gradient_matching", "stepper", "sindy"]], Field(min_length=1)
]
Shooting = Literal["windows", "multiple"]
Times = Literal["regular", "irregular", "log"]
Losses = Annotated[list[Loss], Field(min_length=1)]
Numbers = Annotated[list[float], Field(min_length=1)]
Size = Annotated[float, Field(ge=0)]
Share = Annotated[float, Field(gt=0, le=1)]
MERGED = ("recipe", "arm", "cure", "problem")  # axes whose entries' settings stand in place of parameters


# --- Entries of the axes.
class Arm(Values):
    """A model, or what is fitted without one, and how it is trained."""

    name: str = Field("", description="What rows and figures call it.")
    model: Literal["linear", "mlp"] | None = Field(None, description="What is learnt.")
    recovered_pct: Positive | None = Field(
        None, description="Field error up to which it counts as recovered."
    )
    shooting: Shooting | None = Field(None, description="Random windows (poster) or all pieces at once.")
    learning_rate: Positive | None = Field(None, description="Of Adam.")


class Cure(Values):
    """How a system that resists is trained."""

    name: str = Field("", description="What rows and figures call it.")
    library: Library | None = Field(None, description="Who integrates.")
    gradient: Gradient | None = Field(None, description="How the gradient is computed.")
    loss: Loss | None = Field(None, description="Plain, or in units of the data's standard deviation.")
    shooting: Shooting | None = Field(None, description="Random windows (poster) or all pieces at once.")
    learning_rate: Positive | None = Field(None, description="Of Adam.")
    scaled: bool | None = Field(None, description="Whether the equations are learnt in units of the data.")


class Recipe(Values):
    """What is observed, and what a training step sees of it."""

    name: str = Field("", description="What rows and figures call it.")
    square: Positive | None = Field(None, description="Half width of the square in which trajectories start.")
    trajectories: Count | None = Field(None, description="Number of trajectories.")
    points: Annotated[int, Field(ge=3)] | None = Field(None, description="Observations of each trajectory.")
    horizon: Positive | None = Field(None, description="End of each trajectory.")
    windows: Count | None = Field(None, description="Windows in one training step.")
    window_min: Positive | None = Field(None, description="Shortest training window.")
    window_max: Positive | None = Field(None, description="Longest training window.")
    window_points: Annotated[int, Field(ge=2)] | None = Field(
        None, description="Most observations in one window; where no length is given, exactly so many."
    )
    test_horizon: Positive | None = Field(None, description="End of the trajectories that judge.")


class Unstable(Values):
    """A linear system that grows, by the real part of its growing eigenvalue."""

    name: str = Field("", description="What rows and figures call it.")
    form: Literal["rotation", "saddle"] = Field(description="Eigenvalues rate +- i, or +- rate.")
    rate: Positive = Field(description="Real part of the growing eigenvalue.")


class Conditioning(Values):
    """A way in which a linear system or its data are badly conditioned."""

    name: str = Field("", description="What rows and figures call it.")
    kind: Literal["stiff", "eigenvectors", "rotated", "data"] = Field(
        description="What is badly conditioned."
    )
    trajectories: Count = Field(description="Number of trajectories; all but the first start at random.")
    times: Times = Field(description="How the observation times are spread.")


# --- What several tasks share.
class Observations(Parameters):
    recipe: Recipe | None = Field(None, description="What is observed, and what a training step sees of it.")
    square: Positive | None = Field(
        None,
        description="Half width of the square in which trajectories start; at the system's z0 unless said.",
    )
    horizon: Positive | None = Field(None, description="End of the time span; the system's unless said.")
    test_horizon: Positive | None = Field(
        None, description="End of the trajectories that judge; that of the data unless said."
    )
    bound: bool | None = Field(
        None, description="Whether the least possible error on such data stands beside that of training."
    )
    points: Annotated[int, Field(ge=3)] | None = Field(None, description="Observations of each trajectory.")
    trajectories: Count | None = Field(
        None, description="Number of trajectories; all but the first start at random. One unless said."
    )
    times: Times | None = Field(None, description="How the observation times are spread.")
    noise: Size | None = Field(None, description="Standard deviation of the observation noise.")
    noise_pct: Size | None = Field(
        None, description="The same in per cent of each component's standard deviation."
    )

    @model_validator(mode="after")
    def _noisy(self) -> Observations:
        if self.noise is None and self.noise_pct is None:
            raise ValueError("needs 'noise' or 'noise_pct'")
        if "points" not in settings(self):
            raise ValueError("needs 'points'")
        return self


class Training(Observations):
    """Observations, solves and training; what an arm or a cure says stands in place of what is said here."""

    width: Count = Field(description="Width of the MLP's two hidden layers.")
    shooting: Shooting | None = Field(None, description="Random windows (poster) or all pieces at once.")
    library: Library | None = Field(None, description="Who integrates.")
    method: Method = Field(description="The solver's name; the explicit ones are those of both libraries.")
    rtol: Positive = Field(description="Relative tolerance.")
    atol: Positive = Field(description="Absolute tolerance.")
    step: Positive | None = Field(None, description="Step size of a fixed-step method.")
    gradient: Gradient | None = Field(None, description="How the gradient is computed.")
    loss: Loss | None = Field(None, description="Plain, or in units of the data's standard deviation.")
    max_nfe: Count = Field(description="Evaluations allowed in one solve.")
    scaled: bool | None = Field(None, description="Whether the equations are learnt in units of the data.")
    windows: Count | None = Field(None, description="Windows in one training step; one unless said.")
    window_min: Positive | None = Field(None, description="Shortest training window.")
    window_max: Positive | None = Field(None, description="Longest training window.")
    window_points: Annotated[int, Field(ge=2)] | None = Field(
        None, description="Most observations in one window."
    )
    piece_points: Annotated[int, Field(ge=2)] | None = Field(
        None, description="Observations in one piece of multiple shooting."
    )
    gap_weight: Size | None = Field(None, description="Weight of the gaps between pieces in the loss.")
    learning_rate: Positive | None = Field(None, description="Of Adam.")
    schedule: Literal["constant", "cosine"] | None = Field(None, description="How the learning rate goes on.")
    iterations: Count = Field(description="Training steps.")

    @model_validator(mode="after")
    def _complete(self) -> Training:
        spec = settings(self)
        wanted = ["library", "gradient", "learning_rate"]
        if spec.get("shooting") == "multiple":
            wanted += ["piece_points", "gap_weight"]
        else:
            wanted += ["window_points"]
            wanted += ["window_min", "window_max"] if {"window_min", "window_max"} & spec.keys() else []
        for name in wanted:
            if name not in spec:
                raise ValueError(f"needs {name!r}")
        low, high = spec.get("window_min", 0), spec.get("window_max", float("inf"))
        if low > high:
            raise ValueError(f"window_min {low:g} is above window_max {high:g}")
        return self


class Learning(Training):
    """Training of one model on one system."""

    system: dict[str, Any] = Field(description="An entry of config/systems.yaml.")
    arm: Arm | None = Field(None, description="The model and how it is trained.")
    cure: Cure | None = Field(None, description="How a system that resists is trained.")
    model: Literal["linear", "mlp"] | None = Field(None, description="What is learnt.")

    @model_validator(mode="after")
    def _with_model(self) -> Learning:
        if "model" not in settings(self):
            raise ValueError("needs 'model'")
        return self


# --- Tasks.
class Recover(Learning):
    decades: Positive | None = Field(
        None,
        description="In place of a horizon: by how many powers of ten a linear system's slowest mode decays.",
    )
    recovered_pct: Positive | None = Field(
        None, description="Field error in the support up to which a run counts as recovered."
    )


class Baseline(Observations):
    system: dict[str, Any] = Field(description="An entry of config/systems.yaml.")
    baselines: Baselines = Field(description="What is fitted without training through a solver.")
    width: Count | None = Field(None, description="Width of the MLP's two hidden layers.")
    learning_rate: Positive | None = Field(None, description="Of Adam.")
    fit_iterations: Count | None = Field(None, description="Training steps of a regression.")
    gradient: Literal["none"] | None = Field(None, description="That no solver is differentiated.")
    recovered_pct: Positive | None = Field(
        None, description="Field error in the support up to which a fit counts as recovered."
    )

    @model_validator(mode="after")
    def _regression(self) -> Baseline:
        if {"gradient_matching", "stepper"} & set(self.baselines):
            for name in ("width", "learning_rate", "fit_iterations"):
                if getattr(self, name) is None:
                    raise ValueError(f"needs {name!r}")
        return self


class Linear(Training):
    problem: Conditioning = Field(description="What is badly conditioned.")
    ks: Positives = Field(description="How badly, ascending.")
    horizon: Positive = Field(description="End of the time span.")
    arms: Annotated[list[Literal["plain", "units", "time", "true_form"]], Field(min_length=1)] = Field(
        description="How it is scaled, or the true form by least squares."
    )
    start_rate: Positive = Field(description="Learning rate of the initial states of pieces.")
    share: Share = Field(description="Share of the iterations that is trained, with a schedule of its own.")
    learnt_pct: Positive = Field(description="Errors up to which a system counts as learnt.")


class Stiff(Learning):
    share: Share = Field(description="Share of the iterations that is trained, with a schedule of its own.")
    start_rate: Positive = Field(description="Learning rate of the initial states of pieces.")
    learnt_nrmse: Positive = Field(
        description="Error of the trajectory up to which a system counts as learnt."
    )


class FastModes(Parameters):
    method: Method = Field(description="The solver's name.")
    rtol: Positive = Field(description="Relative tolerance.")
    atol: Positive = Field(description="Absolute tolerance.")
    step: Positive | None = Field(None, description="Step size of a fixed-step method.")
    max_nfe: Count = Field(description="Evaluations allowed in one solve.")
    points: Annotated[int, Field(ge=3)] = Field(description="Observation times.")
    horizon: Positive = Field(description="End of the time span.")
    offset: Positive = Field(description="How far the model is off the truth.")
    ks: Positives = Field(description="Rates of the fast mode.")


class Crash(Parameters):
    problem: Unstable = Field(description="The system.")
    library: Library = Field(description="Who integrates.")
    gradient: Gradient = Field(description="How the gradient is computed.")
    method: Method = Field(description="The solver's name.")
    rtol: Positive = Field(description="Relative tolerance.")
    atol: Positive = Field(description="Absolute tolerance.")
    max_nfe: Count = Field(description="Evaluations allowed in one solve.")
    points: Annotated[int, Field(ge=3)] = Field(description="Observation times.")
    offset: Positive = Field(
        description="Standard deviation of how far the model's entries are off the truth."
    )
    losses: Losses = Field(description="Scales of the loss.")
    precisions: Precisions = Field(description="Arithmetic.")
    growths: Positives = Field(
        description="Products of eigenvalue and horizon that are all tried, ascending."
    )


class Steps(Learning):
    repeats: Count = Field(description="Timed repeats after the warm-up.")


def settings(p: Parameters) -> dict[str, Any]:
    """What is set, by name; what an entry of `arm`, `cure` or `problem` says stands in place of what it leaves open."""
    spec = p.model_dump(exclude_none=True)
    for axis in MERGED:
        entry = spec.get(axis, {})
        spec |= {name: value for name, value in entry.items() if name != "name"}
    return spec


# The first word of a name is the folder of its metrics, and the whole of it part of a job's identity.
PARAMS: dict[str, type[Parameters]] = {
    "dynamics.recover": Recover,
    "dynamics.baselines": Baseline,
    "dynamics_conditioning.linear": Linear,
    "dynamics_conditioning.stiff": Stiff,
    "dynamics_conditioning.fast_modes": FastModes,
    "dynamics_unstable.crash": Crash,
    "dynamics_cost.steps": Steps,
}
