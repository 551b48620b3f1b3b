"""What the played host of the drills cannot answer: doctor's questions to systemd and at."""

from __future__ import annotations

import pytest

from certtui.doctor.finding import Finding
from certtui.drill import scheduled
from certtui.drill.model import Scene


@pytest.fixture(autouse=True)
def doctor_of_cron_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Doctor's checks are the real ones with cron; with others the scheduler is well."""
    real = scheduled.look

    def look(scene: Scene) -> tuple[Finding, ...]:
        return real(scene) if scene.plan.schedule.backend == "cron" else ()

    monkeypatch.setattr(scheduled, "look", look)
