"""The studies of section 3, policy gradients."""

from ..study import Study


def _study(name: str, title: str, question: str, *labels: str) -> Study:
    module = f"{__name__}.{name.replace('-', '_')}"
    return Study(name=f"s3.{name}", title=title, question=question, labels=labels, module=module)


STUDIES: tuple[Study, ...] = (
    _study(
        "gae-bias",
        "Bias and variance of advantages",
        "Values are wrong and returns are noisy: which λ errs least, and in what?",
        "gae",
        "td-error",
    ),
    _study(
        "env-twins",
        "Environments and their exact twins",
        "Do the simulated worlds do what their tables say?",
        "multi-agent-mdp",
    ),
    _study(
        "heuristics",
        "What heuristics earn",
        "What must a learner beat in each environment?",
        "multi-agent-mdp",
    ),
    _study(
        "certificate",
        "Derivatives beside differences",
        "Every derivative in refmarl.nn is written by hand: is it the derivative?",
        "mlp-backward",
        "mlp-hvp",
    ),
    _study(
        "n-step-bias",
        "Bias and variance of n-step returns",
        "How many rewards should be counted before a wrong value takes over?",
        "n-step-return",
        "gae",
    ),
    _study(
        "scales",
        "Targets of any size",
        "What stays when the scale of the targets moves, and what when their mean is large?",
        "mlp-backward",
    ),
    _study(
        "exact-gradients",
        "Sampled gradients and exact ones",
        "Do REINFORCE's and A2C's estimates average to the exact gradient, in every parameter?",
        "reinforce",
        "gae",
    ),
    _study(
        "baselines",
        "What a baseline is worth",
        "How much variance does a baseline take away, and what does a mean of few episodes cost?",
        "reinforce",
    ),
    _study(
        "learning",
        "REINFORCE and A2C learn",
        "How fast do they learn, over seeds, and does an interrupted run end in the same bits?",
        "reinforce",
        "gae",
    ),
    _study(
        "soft-values",
        "What entropy costs, and what it buys",
        "What are states worth to an agent that is paid for entropy, and does SAC find it out?",
        "sac-objective",
        "sac-critic",
        "sac-temperature",
    ),
    _study(
        "trust-region",
        "Steps within a trust region",
        "How far do TRPO's updates move a policy, and how near do conjugate gradients come?",
        "trpo-step",
        "trpo-fisher",
        "conjugate-gradient",
    ),
    _study(
        "clipping",
        "How far PPO moves",
        "What do clipping and a penalty leave of the distance between two policies?",
        "ppo-clip",
        "ppo-kl-penalty",
        "ppo-ratio",
    ),
    _study(
        "ten-seeds",
        "Ten seeds beside published numbers",
        "Do PPO, TRPO and SAC solve the classic tasks, on how many seeds, and how well?",
        "ppo-total",
        "trpo-step",
        "sac-objective",
    ),
    _study(
        "central-critics",
        "MAPPO beside IPPO",
        "Is a critic that sees all worth anything where the agents see nearly all?",
        "mappo",
    ),
    _study(
        "central-soft-critics",
        "MASAC beside independent SAC",
        "What does a critic gain that is told what the others saw and did?",
        "masac",
    ),
)
