"""A huvudman's file: what it may change, and what a wrong one is told."""

from pathlib import Path

import pytest

from reports.policy import ROW_KEYS, ROW_NEEDS, SITUATIONS, TABLES, PolicyError, load_policy
from reports.rules import Readiness, Traffic
from tests.reports.make import POLICY, policy_from

DOCS = Path(__file__).parents[2] / "docs" / "policy.md"
WHOLE = """
value = "rtt_p50_seconds"
better = "lower"
ready = 0.05
per = "link"
owner = "operator"
consequence = "delay"
advice = "ask_network"
source = "our agreement with the operator"
"""


def test_a_partial_row_changes_only_its_keys(tmp_path: Path) -> None:
    mine = policy_from(tmp_path, "[rules.rtt]\nnot_ready = 0.25\n")
    assert mine.rows["rtt"].acceptable[1] == 0.25
    assert mine.rows["rtt"].ready == POLICY.rows["rtt"].ready
    assert {k: v for k, v in mine.rows.items() if k != "rtt"} == {k: v for k, v in POLICY.rows.items() if k != "rtt"}


def test_every_table_may_be_overridden(tmp_path: Path) -> None:
    mine = policy_from(
        tmp_path,
        """
        [traffic]
        video_bytes_per_second = 50000
        [kinds.wifi]
        owner = "municipal_it"
        [failures]
        no_reply = { owner = "operator" }
        [situations.room]
        advice = "ask_network"
        [faults]
        beyond_loss = { owner = "region_it" }
        [diagnosis.dns_seconds]
        value = 1.5
        [rules.link_kind]
        ready_when_tested = []
        """,
    )
    assert mine.traffic.video_bytes_per_second == 50_000
    assert mine.traffic.audio_payload_bytes == POLICY.traffic.audio_payload_bytes
    assert (mine.kinds["wifi"].owner, mine.failures["no_reply"].owner) == ("municipal_it", "operator")
    assert mine.situations["room"].advice == "ask_network"
    assert mine.rows["link_kind"].ready_when_tested == ()
    assert (mine.faults["beyond_loss"].owner, mine.faults["beyond_loss"].advice) == ("region_it", "ask_operator")
    assert (mine.limit("dns_seconds"), mine.limit("queue_seconds")) == (1.5, POLICY.limit("queue_seconds"))


def test_a_whole_new_row_is_a_rule(tmp_path: Path) -> None:
    assert policy_from(tmp_path, f"[rules.rtt_middle]{WHOLE}").rows["rtt_middle"].level(0.06) == "degraded"


WRONG = [
    ("[rules.rtt]\nredy = 0.1", "[rules.rtt]", "unknown key 'redy'; did you mean 'ready'?"),
    ("[rulez.rtt]\nready = 0.1", "", "unknown table 'rulez'; did you mean 'rules'?"),
    ("rules = 3", "", "[rules] must be a table, not a number"),
    ("[rules]\nrtt = 3", "[rules]", "[rtt] must be a table"),
    ("[rules.rtt]\nready = '0.1'", "[rules.rtt]", "ready must be a number in SI base units, not text (0.1)"),
    ("[rules.rtt]\nready = true", "[rules.rtt]", "ready must be a number"),
    ("[rules.rtt]\nready = nan", "[rules.rtt]", "not nan"),
    ("[rules.rtt]\nready = inf", "[rules.rtt]", "must be a finite number"),
    ("[rules.rtt]\nready = 0.5", "[rules.rtt]", "not_ready is on the wrong side of ready"),
    ("[rules.mos_up]\nnot_ready = 4.2", "[rules.mos_up]", "must be at or below ready"),
    ("[rules.speech_level]\nnot_ready = [-20.0, inf]", "[rules.speech_level]", "must be outside ready"),
    ("[rules.speech_level]\nready = [-15.0, -35.0]", "[rules.speech_level]", "upside down"),
    ("[rules.speech_level]\nready = -35.0", "[rules.speech_level]", "must be two numbers"),
    ("[rules.rtt]\nvalue = 'rtt_p96_seconds'", "[rules.rtt]", "unknown value 'rtt_p96_seconds'; did you mean 'rtt_p9"),
    ("[rules.rtt]\nfloor = 'floor'", "[rules.rtt]", "unknown floor 'floor'"),
    ("[rules.rtt]\nowner = 'me'", "[rules.rtt]", "unknown owner 'me'; use one of municipal_it, operator"),
    ("[rules.rtt]\nadvice = 'use_cabel'", "[rules.rtt]", "unknown advice 'use_cabel'; did you mean 'use_cable'?"),
    ("[rules.rtt]\nadvice = 'headline.ready'", "[rules.rtt]", "unknown advice"),
    ("[rules.rtt]\nconsequence = 'loss'", "[rules.rtt]", "unknown consequence 'loss'"),
    ("[rules.rtt]\nbetter = 'smaller'", "[rules.rtt]", "unknown better 'smaller'"),
    ("[rules.rtt]\njudge = 'low'", "[rules.rtt]", "rtt_p95_seconds has none"),
    ("[rules.rtt]\ndegraded = ['x']", "[rules.rtt]", "this row compares a number"),
    ("[rules.rtt]\nrequired = 'yes'", "[rules.rtt]", "required must be true or false"),
    ("[rules.rtt]\nsource = ''", "[rules.rtt]", "source must be text"),
    ("[rules.link_kind]\nready = 0.1", "[rules.link_kind]", "ready must be a list of words"),
    ("[rules.link_kind]\nready = ['cable']", "[rules.link_kind]", "unknown link kind 'cable'"),
    ("[rules.link_kind]\nready = ['wifi']", "[rules.link_kind]", "'wifi' stands in both ready and degraded"),
    ("[rules.rtt_new]\nready = 0.1", "[rules.rtt_new]", "lacks value, better, per, owner"),
    ("[rules.rttt]\nready = 0.1", "[rules.rttt]", "change its name: did you mean 'rtt'?"),
    ("[failures.no_replay]\nlevel = 'unknown'", "[failures.no_replay]", "did you mean 'no_reply'?"),
    ("[failures]\nno_reply = { level = 'bad' }", "[failures.no_reply]", "unknown level 'bad'"),
    ("[situations.rain]\nlevel = 'unknown'", "[situations.rain]", "unknown row 'rain'"),
    ("[kinds.cable]\nowner = 'you'", "[kinds.cable]", "unknown link kind 'cable'"),
    ("[kinds.vpn]\nowner = 'you'", "[kinds.vpn]", "lacks advice"),
    ("[traffic]\naudio_interval_seconds = 0", "[traffic]", "must be a number above 0, not 0"),
    ("[traffic]\naudio_payload_bytes = 0.5", "[traffic]", "must be a whole number above 0"),
    ("[traffic]\nspeed = 1", "[traffic]", "unknown key 'speed'"),
    ("[diagnosis]\nqueue_second = { value = 1 }", "[diagnosis.queue_second]", "did you mean 'queue_seconds'?"),
    ("[diagnosis.queue_seconds]\nvalue = 0", "[diagnosis.queue_seconds]", "value must be above 0, not 0"),
    ("[diagnosis.queue_seconds]\nvalue = '1'", "[diagnosis.queue_seconds]", "value must be a number"),
    ("[diagnosis.queue_seconds]\nsource = ''", "[diagnosis.queue_seconds]", "source must be text"),
    ("[diagnosis.wifi_weak_dbm]\nvalue = 75", "[diagnosis.wifi_weak_dbm]", "value must be below 0, not 75"),
    ("[diagnosis.own_share_ratio]\nvalue = 30", "[diagnosis.own_share_ratio]", "must not be over 1, not 30"),
    ("[diagnosis]\nqueue_seconds = 3", "[diagnosis]", "must be a table"),
    ("[faults]\nbeyond_los = { level = 'degraded' }", "[faults.beyond_los]", "did you mean 'beyond_loss'?"),
    ("[faults]\nbeyond_loss = { owner = 'me' }", "[faults.beyond_loss]", "unknown owner 'me'"),
    ("[readiness]\nvalid_seconds = 0", "[readiness]", "valid_seconds must be above 0"),
    ("[readiness]\nvalid_seconds = 1e12", "[readiness]", "no century"),
    ("[readiness]\nsoon_seconds = 2592001", "[readiness]", "soon_seconds must be between 0 and valid_seconds"),
    ("[readiness]\nvalid_days = 30", "[readiness]", "unknown key 'valid_days'"),
    ("[rules.rtt\nready = 1", "", "is not valid TOML"),
]


@pytest.mark.parametrize(("toml", "where", "what"), WRONG)
def test_a_wrong_file_is_told_where_and_what(tmp_path: Path, toml: str, where: str, what: str) -> None:
    with pytest.raises(PolicyError) as e:
        policy_from(tmp_path, toml)
    message = str(e.value)
    assert str(tmp_path / "mine.toml") in message
    assert where in message
    assert what in message
    assert "\n" not in message


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "latin.toml").write_bytes(b'a = "\xe5"')
    for name, what in (("none.toml", "no such policy file"), ("latin.toml", "not UTF-8"), (".", "cannot be read")):
        with pytest.raises(PolicyError, match=what):
            load_policy(tmp_path / name)


def test_the_documentation_names_every_key() -> None:
    told = DOCS.read_text(encoding="utf-8")
    keys = [*ROW_KEYS, *SITUATIONS, *Traffic.__dataclass_fields__, *Readiness.__dataclass_fields__]
    keys += POLICY.diagnosis
    assert [key for key in keys if f"`{key}`" not in told] == []
    assert [table for table in TABLES if f"[{table}" not in told] == []
    assert f"A new row needs {', '.join(f'`{k}`' for k in ROW_NEEDS[:-1])} and `{ROW_NEEDS[-1]}`." in told


def test_the_documentation_s_example_is_a_policy(tmp_path: Path) -> None:
    example = DOCS.read_text(encoding="utf-8").partition("```toml\n")[2].partition("```")[0]
    mine = policy_from(tmp_path, example)
    assert (mine.rows["rtt"].acceptable[1], mine.failures["no_reply"].owner) == (0.25, "operator")
