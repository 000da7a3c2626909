"""Equipment: cameras, sound, computers and browsers, and how old the machines' self-tests are."""

from __future__ import annotations

from grafana_foundation_sdk.models.dashboard import Dashboard

from dashboards.panels import ORGANISATION, UNIT, Panel, Query, bars, dashboard, graph, matrix
from dashboards.queries import among_machines, daily_findings, findings, latest

# rules of the policy and failure codes, as the findings name them
CAMERA = "camera_.+"
SOUND = "microphone_.+|speaker_.+|speech_.+|signal_to_noise|equipment|sound_system_missing"
COMPUTER = (
    "browser|power|card_reader|clock|encode_speed|memory|disk|call_cpu|call_encoder|cpu_busy|cpu_starved|local_queue"
)
DAY_S = 86400
AGES = (("a week or less", 0, 7), ("8 to 30 days", 7, 30), ("older", 30, 10_000))
LAST_RUN = latest("last_run_timestamp_seconds", period="60d")


def made() -> Dashboard:
    """What all self-tests found about equipment; below, what machines measured whose own metrics Prometheus has."""
    return dashboard(
        "equipment",
        "Equipment",
        "What the machines bring to a meeting besides their network.",
        (ORGANISATION, UNIT),
        {
            "What was wrong": _wrong(),
            "Browsers and programs": _programs(),
            "Machines whose own metrics are here": _measured(),
        },
    )


def _wrong() -> list[Panel]:
    about = "Self-tests of the period in which this was not as the policy wants it."
    return [
        bars(title, [Query(findings("rule", where=f'rule=~"{rules}"'), "{{rule}}")], about, width=8)
        for title, rules in (("Cameras", CAMERA), ("Sound", SOUND), ("Computers and browsers", COMPUTER))
    ]


def _programs() -> list[Panel]:
    browsers = daily_findings("level", where='rule="browser"')
    versions = f"count by (version, platform) ({latest('agent_info')})"
    return [
        graph(
            "Browser too old or missing", [Query(browsers, "{{level}}")],
            "Self-tests of the 24 hours before each moment, in all units.", stacked=True, width=8,
        ),
        matrix(
            "Agents by version", versions, "Machines whose own metrics are here, by agent version and system.",
            row="version", column="platform", width=8,
        ),
        bars("Age of the latest self-test", [_aged(*age) for age in AGES], "Where own metrics are here.", width=8),
    ]  # fmt: skip


def _aged(name: str, above: int, most: int) -> Query:
    age = f"(time() - {LAST_RUN})"
    return Query(f"count({age} > {above * DAY_S} <= {most * DAY_S}) or vector(0)", name)


def _measured() -> list[Panel]:
    of_devices = 'device_kind!=""'
    failures = f"count by (device_kind, code) ({latest('failure_info', of_devices)})"
    return [
        _worst("Camera: pictures a second", "camera_frames_per_second", "At 720p. A tenth of the machines are below."),
        _worst("Camera: brightness", "camera_brightness_ratio", "1 is white. A tenth are darker.", unit="percentunit"),
        _worst("Speech level", "speech_level_dbfs", "-35 to -15 dBFS is right. A tenth are quieter.", unit="dB"),
        _worst("Speech above noise", "signal_to_noise_db", "20 dB and more is right. A tenth are below.", unit="dB"),
        _worst("Echo return loss", "echo_return_loss_db", "How much softer the speaker comes back.", unit="dB"),
        _worst("Speed of encoding", "encode_speed_ratio", "How many times faster than it must be. A tenth are below."),
        _worst("Free memory", "memory_free_bytes", "A tenth of the machines have less.", unit="bytes"),
        _worst("Free disk", "disk_free_bytes", "A tenth of the machines have less.", unit="bytes"),
        bars(
            "Devices that could not be tested", [Query(failures, "{{device_kind}}: {{code}}")],
            "Machines by what the latest self-test found.", width=8,
        ),
    ]  # fmt: skip


def _worst(title: str, quantity: str, about: str, *, unit: str = "short") -> Panel:
    """The tenth of the machines that is worst off, and the middle."""
    queries = [Query(among_machines(0.1, quantity), "worst tenth"), Query(among_machines(0.5, quantity), "median")]
    return graph(title, queries, about, unit=unit, width=8)
