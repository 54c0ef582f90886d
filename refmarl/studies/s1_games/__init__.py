"""The studies of section 1, games."""

from ..study import Study


def _study(name: str, title: str, question: str, *labels: str) -> Study:
    module = f"{__name__}.{name.replace('-', '_')}"
    return Study(name=f"s1.{name}", title=title, question=question, labels=labels, module=module)


STUDIES = (
    _study(
        "equilibria",
        "Equilibria by several methods",
        "Do methods that have nothing in common find the same equilibria, and what proves each?",
        "nash",
        "best-response",
        "zero-sum-value",
    ),
    _study(
        "best-responses",
        "Best-response curves",
        "Where do the best responses of two players cross, and why once or three times?",
        "best-response",
        "nash",
    ),
    _study(
        "replicator",
        "Replicator dynamics",
        "Does evolution reach the equilibrium, or circle round it for ever?",
        "replicator",
    ),
    _study(
        "fictitious-play",
        "Fictitious play",
        "When does playing against the opponent's past lead to equilibrium, and when not?",
        "fictitious-play",
    ),
    _study(
        "correlated",
        "Correlated equilibria",
        "What can two players reach when they listen to a common signal?",
        "correlated",
    ),
    _study(
        "stackelberg",
        "Commitment",
        "What is it worth to commit to a mixed strategy before the other moves?",
        "stackelberg",
        "nash",
    ),
    _study(
        "regret-matching",
        "Regret matching",
        "How fast does regret vanish, beside the bound that theory gives?",
        "regret-matching",
    ),
    _study(
        "welfare",
        "Dominance, Pareto, welfare",
        "How much do players lose because each looks after itself?",
        "dominance",
        "pareto",
        "social-welfare",
    ),
    _study(
        "exactness",
        "Floats beside fractions",
        "Does the solver in floats find every equilibrium, or say that its list is not complete?",
        "nash",
    ),
    _study(
        "kinds",
        "Kinds of games",
        "Which games are all gradient, which all cycle, and how much do the players agree?",
        "nash",
    ),
    _study(
        "topology",
        "The 144 games of two by two",
        "How do the prisoner's dilemma, chicken and their like hang together, and what is rare?",
        "nash",
        "dominance",
        "pareto",
    ),
    _study(
        "stability",
        "Stability of equilibria",
        "Which equilibria do learners come to, and what do eigenvalues say of the rest?",
        "replicator",
        "nash",
    ),
    _study(
        "cfr",
        "Counterfactual regret minimisation",
        "How fast does regret at every information set lead to equilibrium in poker?",
        "regret-matching",
        "zero-sum-value",
    ),
    _study(
        "markov",
        "Markov games",
        "How fast does Shapley's iteration converge, and what does a longer memory make possible?",
        "shapley-iteration",
        "multi-agent-mdp",
        "policy-nash",
        "induced-mdp",
    ),
    _study(
        "quantal",
        "Players who err",
        "Where do quantal response equilibria lead, and do they find an equilibrium of every game?",
        "nash",
    ),
    _study(
        "policy-gradient",
        "Policy gradients",
        "Where does the exact gradient lead a team, and how far off are estimates from plays?",
        "marl-policy-gradient",
    ),
    _study(
        "learners",
        "Learners and their exact twins",
        "Do learners come to the values that exact methods compute, and to policies that mix?",
        "shapley-iteration",
        "independent-q",
        "joint-action-q",
    ),
    _study(
        "posg",
        "Teams that cannot talk",
        "What can a team earn whose members do not see the state, nor what the others see?",
        "posg",
    ),
    _study(
        "soccer",
        "Markov games solved exactly",
        "What is the ball worth in Littman's soccer, and which lines can one player draw?",
        "shapley-iteration",
        "policy-nash",
    ),
)
