"""Ordinary talk is left alone: what the shipped `mask` policy changes of it, in messages of many registers."""

from __future__ import annotations

from proxy_guard import resources
from proxy_guard.detect import Detector
from proxy_guard.detect.custom import ordinary_talk
from proxy_guard.rules.load import load_rules

LEAST = 2_200
MOST = 0.003


def test_the_mask_policy_leaves_ordinary_talk_alone() -> None:
    talk = ordinary_talk()
    assert len(set(talk)) >= LEAST
    policy = load_rules(resources.rules_dir()).policies["mask"]
    wanted = policy.wanted
    assert wanted.entities is not None
    detector = Detector(sorted(wanted.entities), wanted.language, min_score=wanted.min_score)
    changed = [
        f"{text!r}: {', '.join(f'{each.entity} {text[each.start : each.end]!r}' for each in findings)}"
        for text, findings in zip(talk, detector.detect_many(talk), strict=True)
        if any((rule := policy.rule_for(each.entity)) and each.score >= rule.min_score for each in findings)
    ]
    assert len(changed) <= MOST * len(talk), "\n" + "\n".join(changed)


def test_what_is_in_a_sentence_with_it_is_still_found() -> None:
    """So that nothing above passes because nothing is found at all."""
    detector = Detector(["PHONE_NUMBER", "CREDIT_CARD", "EMAIL_ADDRESS"], min_score=0.4)
    talk = [text for text in ordinary_talk() if len(text) < 60][::40]
    for value in ("+91 98765 43210", "4111 1111 1111 1111", "ravi.kumar@example.com"):
        for text in talk:
            whole = f"{value}, {text}"
            assert any(each.start == 0 and each.end == len(value) for each in detector.detect(whole)), whole
