"""``refmarl doctor``: versions, isolation, and a test of the checker."""

from ._output import as_json

SECONDS = 3.0  # that a check of one exercise may take


def run(require: int, json: bool) -> int:
    """Print what was found; 3 if the checker fails, 1 if the isolation asked for does not hold."""
    from ..grading import doctor

    versions, reports, trials = doctor.versions(), doctor.isolation(), doctor.self_test()
    holds = next((r.holds for r in reports if r.level == require), False)
    status = 3 if not all(t.ok for t in trials) else int(not holds)
    if json:
        as_json(
            {
                "versions": versions,
                "isolation": max(r.level for r in reports if r.holds),
                "levels": [
                    {"level": r.level, "holds": r.holds, "possible": list(r.possible)}
                    | {"error": r.error, "says": r.says}
                    for r in reports
                ],
                "self_test": [
                    {"says": t.says, "ok": t.ok, "got": t.got, "seconds": round(t.seconds, 3)}
                    for t in trials
                ],
            }
        )
        return status
    for name, value in versions.items():
        print(f"{name:12} {value}")
    print()
    for r in reports:
        print(r.says)
    print()
    for t in trials:
        slow = f", slow: {SECONDS:g} s are usual" if t.seconds > SECONDS else ""
        says = "ok" if t.ok else f"FAILED: it was {t.got}"
        print(f"self-test: {t.says}: {says} ({t.seconds:.1f} s{slow})")
    if not holds:
        print(f"\nisolation level {require} is asked for and does not hold here")
    return status
