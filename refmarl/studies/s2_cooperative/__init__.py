"""The studies of section 2, cooperative learning."""

from ..study import Study


def _study(name: str, title: str, question: str, *labels: str) -> Study:
    module = f"{__name__}.{name.replace('-', '_')}"
    return Study(name=f"s2.{name}", title=title, question=question, labels=labels, module=module)


STUDIES: tuple[Study, ...] = (
    _study(
        "climbing",
        "Where teams miss their best joint action",
        "How often do learners that share a reward, but no plan, end at what is best for all?",
        "independent-q",
        "joint-action-q",
    ),
    _study(
        "credit",
        "Credit assignment",
        "Which ways to credit a team's reward to its members are unbiased, and how noisy are they?",
        "difference-reward",
        "potential-shaping",
    ),
    _study(
        "coma-variance",
        "What a central critic is worth",
        "How noisy is an agent's gradient with each critic and baseline, and how fast is it?",
        "coma-advantage",
        "maac-actor",
    ),
    _study(
        "coma-learning",
        "COMA and MAAC learn",
        "Do agents with central critics find the best equilibrium of three?",
        "coma-advantage",
        "maac-critic",
    ),
    _study(
        "maddpg",
        "Critics that see all",
        "What can a critic know that sees all actions, and whose slot may the gradient touch?",
        "maddpg-critic",
        "maddpg-actor",
    ),
    _study(
        "non-monotone",
        "What no monotone mixing can say",
        "Which learners find a best joint action that is bad for whoever plays it alone?",
        "vdn",
        "qmix",
    ),
    _study(
        "two-step",
        "The two-step game",
        "What does a sum of values give away that a monotone mixing keeps?",
        "vdn",
        "qmix",
    ),
    _study(
        "path-finding",
        "Paths that do not meet",
        "What does the best plan of many walkers cost, and do teams that learn find it?",
        "vdn",
    ),
)
