"""From labelled slices to a model folder in a given time."""

import json

import pytest
import torch
from dmcvr.model.bundle import read_card
from dmcvr.model.inference import Model
from dmcvr.training.heart_distances import HeartDistances, distances_of, phantom_labels
from dmcvr.training.recipe import FEWEST_STEPS, STAGES, run_stages, seconds_a_step
from dmcvr.training.run import TrainingJob
from dmcvr.training.simulated_run import SimulatedHearts

CPU = torch.device("cpu")
ABOUT = {"name": "in no time", "licence": "Apache-2.0"}
SIMULATED = SimulatedHearts(HeartDistances(distances_of(phantom_labels(0))[None], ("phantom0000",)))


def cook(tiny, hearts, folder, minutes):
    entries = []
    made = run_stages(tiny, hearts, hearts, SIMULATED, minutes, ABOUT, folder, CPU, entries.append)
    return made, [entry for entry in entries if "part" in entry], entries


@pytest.mark.slow
def test_the_recipe_makes_a_model_that_says_how_it_was_made(tiny, hearts, tmp_path):
    made, plans, entries = cook(tiny, hearts, tmp_path, 1e-6)
    assert made == tmp_path / "model"
    assert [plan["part"] for plan in plans] == ["segmenter", "generator", "shifts", "shape"]
    assert {plan["steps"] for plan in plans} == {FEWEST_STEPS}
    card = read_card(made)
    assert (card["name"], card["licence"]) == ("in no time", "Apache-2.0")
    assert f"segmenter: {FEWEST_STEPS} steps of 16 views" in card["training"]
    assert "2 stacks" in card["training"]
    assert Model.load(made, "cpu", "float32").preset == tiny
    assert any("held out Dice LVC" in entry for entry in entries)
    assert any("held out PSNR dB" in entry for entry in entries)


@pytest.mark.slow
def test_a_recipe_begun_goes_on_with_the_steps_it_had(tiny, hearts, tmp_path):
    """Whatever the machine is doing meanwhile, and without training again what is trained."""
    folder = tmp_path / "segmenter"
    folder.mkdir()
    plan = {"steps": 12, "batch": 2, "learning_rate": 1e-3, "judge_every": 12}
    (folder / "options.json").write_text(json.dumps(plan))
    _, plans, _ = cook(tiny, hearts, tmp_path, 1e-6)
    assert plans[0] == {"part": "segmenter", "steps": 12, "batch": 2}
    _, again, entries = cook(tiny, hearts, tmp_path, 500)
    assert again == plans
    assert {"resumed_at": 12} in entries
    assert not any("loss" in entry for entry in entries)


class PlannedError(Exception):
    """Enough is known of the plan; nothing need be trained."""


def planned_steps(tiny, hearts, folder, minutes) -> int:
    """Steps that the recipe plans for its first network, the segmenter."""

    def stop_at_the_plan(entry):
        if "part" in entry:
            raise PlannedError(entry["steps"])

    with pytest.raises(PlannedError) as plan:
        run_stages(tiny, hearts, hearts, SIMULATED, minutes, ABOUT, folder, CPU, stop_at_the_plan)
    return plan.value.args[0]


@pytest.mark.slow
def test_more_time_is_more_steps(tiny, hearts, tmp_path):
    """In proportion, up to what a step took when it was measured, which the machine decides."""
    steps = {minutes: planned_steps(tiny, hearts, tmp_path / str(minutes), minutes) for minutes in (1, 100)}
    assert steps[1] > FEWEST_STEPS
    assert 20 < steps[100] / steps[1] < 500


def test_the_time_is_shared_out_among_the_networks(tiny, hearts):
    assert sum(stage.share for stage in STAGES) == pytest.approx(1)
    for stage in STAGES:
        assert stage.batch(torch.device("cuda")) >= stage.batch(CPU)
    assert 0 < seconds_a_step(TrainingJob("segmenter", tiny).task(hearts, None), 2, CPU, steps=2) < 60
