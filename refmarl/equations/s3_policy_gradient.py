"""Section 3 of the course: its rows of the ledger."""

from ._equation import Equation

ROWS = (
    Equation(
        tag="3.1",
        label="mlp-backward",
        title="Backward pass of a multilayer perceptron",
        statement=r"$\partial L/\partial\theta$ and $\partial L/\partial x$ by the chain rule",
        exercise=True,
        closed=True,
        source="Rumelhart, Hinton & Williams 1986",
        laws=(
            "equals central differences, for every activation, width and number of rows",
            "is linear in the gradient at the output",
            "the gradient of a batch is the sum over its rows",
            "several networks at once are each what it is alone",
        ),
    ),
    Equation(
        tag="3.2",
        label="mlp-hvp",
        title="Jacobian- and Hessian-vector products",
        statement=r"$Jv$, $J^\top u$, $Hv$",
        exercise=True,
        closed=True,
        source="Pearlmutter 1994",
        laws=(
            "⟨u, Jv⟩ = ⟨Jᵀu, v⟩",
            "⟨u, Hv⟩ = ⟨Hu, v⟩",
            "equal differences of y and of the gradient, away from kinks",
            "a linear layer has no curvature of its own",
        ),
    ),
    Equation(
        tag="3.3",
        label="reinforce",
        title="REINFORCE with a baseline",
        statement=(
            r"$\hat g=\frac1N\sum_{n,t}\gamma^t\nabla\log\pi(a_t|s_t)(G_t-b(s_t))$, "
            r"$G_t=\sum_{k\ge t}\gamma^{k-t}r_k$"
        ),
        exercise=True,
        closed=True,
        source="Williams 1992",
        laws=(
            "its expectation is the gradient of J, by enumeration, for every baseline",
            "without γ^t it is biased for γ < 1, and can point downhill",
            "the score has mean zero",
            "sampled gradients agree with the exact one within their standard error",
        ),
    ),
    Equation(
        tag="3.4",
        label="td-error",
        title="Temporal-difference error",
        statement=r"$\delta_t=r_t+\gamma(1-d_t)V(s_{t+1})-V(s_t)$",
        exercise=True,
        closed=True,
        source="Sutton 1988",
        laws=(
            "expected errors vanish in every state exactly at V^π",
            "on a deterministic chain every error of the true values is 0",
            "at a terminal step it is r − V, whatever follows",
        ),
        errata="The text bootstraps terminal states too: docs/errata.md, B6.",
    ),
    Equation(
        tag="3.5",
        label="gae",
        title="Generalised advantage estimation",
        statement=r"$\hat A_t=\sum_{l\ge0}(\gamma\lambda)^l\delta_{t+l}$",
        exercise=True,
        closed=True,
        source="Schulman et al. 2016",
        laws=(
            "λ = 0 is the TD error",
            "λ = 1 is the return minus V, bootstrapped at a truncation",
            "the recursion is the sum",
            "linear in rewards and values together",
            "nothing leaks from one episode into another",
            "a truncated episode bootstraps, a terminated one does not",
        ),
        errata="The text leaves out the ends of episodes: docs/errata.md, B6.",
    ),
    Equation(
        tag="3.6",
        label="ppo-ratio",
        title="Probability ratio",
        statement=r"$r_t(\theta)=\exp(\log\pi_\theta(a_t|s_t)-\log\pi_{old}(a_t|s_t))$",
        exercise=True,
        closed=True,
        source="Schulman et al. 2017",
        laws=(
            "is 1 for the old policy itself",
            "has mean 1 under the old policy, where that may draw all that the new one may",
        ),
    ),
    Equation(
        tag="3.7",
        label="ppo-clip",
        title="PPO's clipped objective",
        statement=r"$L=\hat{\mathbb E}[\min(r_tA_t,\mathrm{clip}(r_t,1-\epsilon,1+\epsilon)A_t)]$",
        exercise=True,
        closed=True,
        source="Schulman et al. 2017",
        laws=(
            "is at most the unclipped objective",
            "equals it where all ratios are within 1 ± ε",
            "stands still in r iff A = 0, or A > 0 and r > 1 + ε, or A < 0 and r < 1 − ε",
            "is the unclipped one for ε → ∞",
            "its gradient at the old policy is the policy gradient",
        ),
    ),
    Equation(
        tag="3.8",
        label="ppo-kl-penalty",
        title="PPO's adaptive KL penalty",
        statement=r"$L=\hat{\mathbb E}[r_tA_t-\beta\,KL(\pi_{old}\|\pi_\theta)]$",
        exercise=True,
        closed=True,
        source="Schulman et al. 2017",
        laws=(
            "β doubles above the band, halves below and stays within",
            "its gradient at the old policy is the policy gradient",
        ),
    ),
    Equation(
        tag="3.9",
        label="trpo-surrogate",
        title="TRPO's constrained surrogate",
        statement=(
            r"$\max_\theta\hat{\mathbb E}[r_t(\theta)A_t]$, $\hat{\mathbb "
            r"E}[KL(\pi_{old}\|\pi_\theta)]\le\delta$"
        ),
        exercise=True,
        closed=True,
        source="Schulman et al. 2015",
        laws=(
            "its gradient at the old policy is the policy gradient",
            "KL ≥ 0, and 0 with a gradient of 0 at the old policy",
            "over all actions its mean is the expected advantage of the new policy",
        ),
    ),
    Equation(
        tag="3.10",
        label="trpo-fisher",
        title="Fisher-vector product",
        statement=(
            r"$Hv=\nabla^2_\theta KL(\pi_{old}\|\pi_\theta)$, $\theta=\theta_{old}$, $=J^\top "
            r"MJv$"
        ),
        exercise=True,
        closed=True,
        source="Schulman et al. 2015",
        laws=(
            "equals differences of the gradient of the mean KL at the old policy",
            "is symmetric and positive semi-definite there",
            "is the mean of the outer products of scores",
            "elsewhere the Hessian of the KL may be indefinite",
        ),
        errata="The text does not say where H is taken: docs/errata.md, B4.",
    ),
    Equation(
        tag="3.11",
        label="conjugate-gradient",
        title="Conjugate gradient",
        statement=r"solve $Hx=g$",
        exercise=True,
        closed=True,
        source="Hestenes & Stiefel 1952",
        laws=(
            "the error falls monotonically in the norm of H",
            "as many iterations as unknowns solve, or as many as different eigenvalues",
            "each iterate is the best of its Krylov space",
            "g = 0 gives 0",
        ),
    ),
    Equation(
        tag="3.12",
        label="trpo-step",
        title="TRPO's step",
        statement=(
            r"$\theta_{new}=\theta_{old}+\beta^j\sqrt{2\delta/(x^\top Hx)}\,x$, $x\approx "
            r"H^{-1}g$"
        ),
        exercise=True,
        closed=True,
        source="Schulman et al. 2015",
        laws=(
            "the full step has ½ΔᵀHΔ = δ, whatever the length of x",
            "an accepted step has KL ≤ δ and improves the surrogate",
            "the first such step is taken",
            "none accepted, or g = 0: θ stays",
        ),
        errata="The text leaves out damping and line search: docs/errata.md, B4.",
    ),
    Equation(
        tag="3.13",
        label="sac-objective",
        title="Maximum-entropy objective",
        statement=(
            r"$J(\pi)=\sum_t\gamma^t\mathbb E[r+\alpha\mathcal H(\pi(\cdot|s_t))]$, "
            r"$V(s)=\alpha\log\sum_ae^{Q(s,a)/\alpha}$"
        ),
        exercise=True,
        closed=True,
        source="Ziebart 2010; Haarnoja et al. 2017",
        laws=(
            "the soft Bellman operator contracts by γ, is monotone, and moves a constant by γ",
            "the soft maximum is the best of all policies, entropy paid; others lose α KL",
            "at the fixed point π ∝ e^{Q/α}, and it earns its values",
            "0 ≤ V_soft − V* ≤ α log A / (1 − γ), which goes to 0 with α",
            "discrete SAC's targets with the soft policy are soft value iteration",
        ),
        errata="The text's sum has no discount: docs/errata.md, B5.",
    ),
    Equation(
        tag="3.14",
        label="sac-critic",
        title="SAC: critic",
        statement=(
            r"$\frac12(Q_\phi-y)^2$, "
            r"$y=r+\gamma(1-d)(\min_kQ_{\phi'_k}(s',a')-\alpha\log\pi(a'|s'))$"
        ),
        exercise=True,
        closed=True,
        source="Haarnoja et al. 2018; Fujimoto et al. 2018",
        laws=(
            "α = 0, no noise and the target actor give TD3's target without smoothing",
            "each nat of entropy is paid γα, and nothing comes after a terminal step",
            "equals differences, the target held",
        ),
        errata="The text has one critic and no end of episodes: docs/errata.md, B5.",
    ),
    Equation(
        tag="3.15",
        label="tanh-gaussian",
        title="Tanh-squashed Gaussian",
        statement=r"$\log\pi(a|s)=\log\mathcal N(u)-\sum\log(1-\tanh^2u)$, $a=\tanh u$",
        exercise=True,
        closed=True,
        source="Haarnoja et al. 2018, appendix C",
        laws=(
            "the density integrates to 1",
            "a change of variables near 0, finite for |u| ≤ 500",
            "a draw and its log density are differentiated with the noise held",
        ),
    ),
    Equation(
        tag="3.16",
        label="sac-actor",
        title="SAC: actor",
        statement=r"$\mathbb E[\alpha\log\pi_\theta(a|s)-\min_kQ_{\phi_k}(s,a)]$",
        exercise=True,
        closed=True,
        source="Haarnoja et al. 2018",
        laws=(
            "equals differences with the noise held, away from ties of the minimum",
            "for choices, least exactly at the soft policy",
        ),
    ),
    Equation(
        tag="3.17",
        label="mappo",
        title="Multi-agent PPO",
        statement=r"PPO with advantages from a central $V(s)$",
        exercise=True,
        closed=True,
        source="Yu et al. 2022",
        laws=(
            "one agent that sees the state is PPO, to the bit",
            "sharing is one network that sees the agent's id",
            "advantages are those of values of the global state",
            "the dead move nothing",
        ),
    ),
    Equation(
        tag="3.18",
        label="masac",
        title="Multi-agent SAC",
        statement=(
            r"$y_i=r_i+\gamma(1-d)\big(\min_kQ_{i,k}'(s',a')-\alpha_i\log\pi_i(a_i'|o_i')\big)$,"
            r" $a'_j\sim\pi_j$"
        ),
        closed=True,
        source="Lowe et al. 2017; Haarnoja et al. 2018",
        laws=(
            "with one agent it is SAC, bit for bit",
            "critics see every other agent's observation and action, once",
        ),
        errata="The text's agents are independent: docs/errata.md, B7.",
    ),
    Equation(
        tag="3.19",
        label="ppo-total",
        title="PPO's total objective",
        statement=r"$L^{CLIP}-c_1(V-\hat R)^2+c_2\mathcal H$",
        exercise=True,
        closed=True,
        source="Schulman et al. 2017",
        laws=(
            "equals differences in the distribution's parameters and in V",
            "without both weights it is the clipped objective",
        ),
        errata="The text prints the clipped part alone: docs/errata.md, B3.",
    ),
    Equation(
        tag="3.20",
        label="sac-temperature",
        title="SAC: temperature",
        statement=r"$J(\alpha)=\mathbb E[-\alpha(\log\pi(a|s)+\bar{\mathcal H})]$",
        exercise=True,
        closed=True,
        source="Haarnoja et al. 2018b, eq. 18",
        laws=(
            "α rises exactly while entropy is below its target",
            "the slopes in α and in log α agree in sign",
            "equals differences",
        ),
        errata="The text leaves it out: docs/errata.md, B5.",
    ),
)
