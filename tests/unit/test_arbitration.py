"""In: wake words and claims with times by hand. Out: one device remains, and it is known in time on every device's clock."""

from __future__ import annotations

import random
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.telemetry.arbitration.arbiter import AGREED_MS, TOGETHER_S, Claim, ClaimArbiter, Lost, parse_claim

NAMES = ("attic", "hall", "kitchen")


def agree(
    heard_s: dict[str, float], ears: dict[str, tuple[float, float]], delivery_s: dict[tuple[str, str], float]
) -> dict[str, Lost]:
    """Plays one wake word: who hears it when and how well, and how long each claim is under way. Who lost, and when."""
    lost: dict[str, Lost] = {}
    arbiters = {name: ClaimArbiter(name, lambda one, name=name: lost.setdefault(name, one)) for name in heard_s}  # type: ignore[arg-type]
    claims = {name: Claim.of(name, *ears[name]) for name in heard_s}
    number = count()
    moments = [(at_s, next(number), name, None) for name, at_s in heard_s.items()]
    moments += [
        (heard_s[source] + delay_s, next(number), target, claims[source]) for (source, target), delay_s in delivery_s.items()
    ]  # fmt: skip
    for at_s, _, name, claim in sorted(moments, key=lambda moment: moment[:2]):
        if claim is None:
            arbiters[name].heard("alexa", *ears[name], at_s)
        else:
            arbiters[name].told("alexa", claim, at_s)
    return lost


def trial(chance: random.Random, spread_s: float, slow_s: float) -> tuple[dict[str, float], dict[str, Lost], str]:
    heard_s = {name: 100.0 + chance.uniform(0, spread_s) for name in NAMES}
    ears = {name: (chance.choice((0.95, 0.99)), chance.choice((-40.0, -30.0))) for name in NAMES}
    ways = [(source, target) for source in NAMES for target in NAMES if source != target]
    lost = agree(heard_s, ears, {way: chance.uniform(0.0, slow_s) for way in ways})
    return heard_s, lost, max(Claim.of(name, *ears[name]) for name in NAMES).device


def test_two_hundred_wake_words_are_agreed_on_within_150_ms() -> None:
    """Ears up to 100 ms apart, deliveries of up to 50 ms: by construction, no clock but the devices' own."""
    chance = random.Random(7)
    for _ in range(200):
        heard_s, lost, best = trial(chance, 0.1, 0.05)
        assert set(lost) == set(NAMES) - {best}, "exactly one remains, and it is the best"
        first_s = min(heard_s.values())
        for name, one in lost.items():
            assert (one.at_s - first_s) * 1000 <= AGREED_MS
            assert one.after_ms == pytest.approx((one.at_s - heard_s[name]) * 1000)


def test_late_claims_still_stop_a_second_answer_until_the_deadline() -> None:
    ears = {"hall": (0.9, -30.0), "kitchen": (0.99, -30.0)}
    heard_s = {"hall": 10.0, "kitchen": 10.0}
    late = agree(heard_s, ears, {("kitchen", "hall"): 0.3})
    assert late["hall"].after_ms == pytest.approx(300.0) and late["hall"].after_ms > AGREED_MS
    assert agree(heard_s, ears, {("kitchen", "hall"): TOGETHER_S + 0.01}) == {}


@given(
    st.permutations(NAMES),
    st.lists(st.tuples(st.floats(0, 1), st.floats(-90, 0)), min_size=3, max_size=3),
)
def test_whatever_the_order_one_remains(order: list[str], ears: list[tuple[float, float]]) -> None:
    heard_s = {name: 10.0 + 0.01 * place for place, name in enumerate(order)}
    ways = {(source, target): 0.005 for source in order for target in order if source != target}
    assert len(agree(heard_s, dict(zip(order, ears, strict=True)), ways)) == 2


def test_a_claim_of_long_ago_or_to_another_word_is_none() -> None:
    lost: list[Lost] = []
    arbiter = ClaimArbiter("hall", lost.append)
    arbiter.told("alexa", Claim(1.0, 0.0, "kitchen"), 0.0)
    arbiter.heard("alexa", 0.9, None, 0.6)
    arbiter.told("computer", Claim(1.0, 0.0, "kitchen"), 0.6)
    assert lost == []


@pytest.mark.parametrize(
    "tree",
    [None, [], {}, {"wake_word": "a", "score": True, "level_dbfs": 1}, {"wake_word": "a", "score": 2, "level_dbfs": 1},
     {"wake_word": "a", "score": float("nan"), "level_dbfs": 1}, {"wake_word": 1, "score": 1, "level_dbfs": 1},
     {"wake_word": "a", "score": 1, "level_dbfs": 1e9}],
)  # fmt: skip
def test_claims_of_rubbish(tree: object) -> None:
    assert parse_claim("hall", tree) is None


def test_a_flood_of_claims_hides_no_newer_one() -> None:
    lost: list[Lost] = []
    arbiter = ClaimArbiter("hall", lost.append)
    for number in range(5000):
        arbiter.told(f"word{number}", Claim(1.0, 0.0, "rogue"), 1.0)
    arbiter.heard("alexa", 0.9, None, 1.0)
    arbiter.told("alexa", Claim(1.0, 0.0, "kitchen"), 1.0)
    assert [one.winner for one in lost] == ["kitchen"] and len(arbiter._others) <= 256
