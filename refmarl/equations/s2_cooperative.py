"""Section 2 of the course: its rows of the ledger."""

from ._equation import Equation

ROWS = (
    Equation(
        tag="2.1",
        label="maac-actor",
        title="Multi-agent actor-critic: actor",
        statement=(
            r"$\nabla_{\theta_i}J_i=\mathbb "
            r"E_{\pi}\big[\sum_t\gamma^t\nabla\log\pi_i(a_{i,t}|o_{i,t})\,(Q_i^\pi(s_t,a_t)-b_i(s_t,a_{-i,t}))\big]$"
        ),
        exercise=True,
        closed=True,
        source="Lowe et al. 2017; Foerster et al. 2018",
        laws=(
            "the same expectation for every b_i(s, a_-i), by enumeration",
            "with exact Q it is the multi-agent policy gradient",
            "without γ^t it is biased for γ < 1, and can point downhill",
        ),
        errata="The text has no baseline: docs/errata.md, B2.",
    ),
    Equation(
        tag="2.2",
        label="maac-critic",
        title="Multi-agent actor-critic: critic",
        statement=(
            r"$L(\phi)=\mathbb E[(Q_\phi(s,a)-y)^2]$, $y=r+\gamma(1-d)\,\mathbb "
            r"E_{a'\sim\pi'}Q_{\phi'}(s',a')$"
        ),
        exercise=True,
        closed=True,
        source="Lowe et al. 2017; Iqbal & Sha 2019",
        laws=(
            "the gradient equals differences, and none goes through y",
            "the fixed point of tables is Q of the target policies",
            "it is Q^π only if π is the target",
            "a terminated step is worth its reward, a truncated one goes on",
        ),
        errata="The text writes a policy where an action belongs: docs/errata.md, A4.",
    ),
    Equation(
        tag="2.3",
        label="maddpg-critic",
        title="MADDPG: critic",
        statement=(
            r"$L_i(\phi_i)=\mathbb E[(Q_{\phi_i}(s,a)-y_i)^2]$, "
            r"$y_i=r_i+\gamma(1-d)Q_{\phi_i'}(s',\mu'_1(o'_1),…,\mu'_n(o'_n))$"
        ),
        exercise=True,
        closed=True,
        source="Lowe et al. 2017, eq. 6",
        laws=(
            "one agent: DDPG",
            "relabelling agents relabels everything",
            "the target of a terminal step is the reward",
        ),
    ),
    Equation(
        tag="2.4",
        label="maddpg-actor",
        title="MADDPG: actor",
        statement=(
            r"$\nabla_{\theta_i}J^{\mathcal D}_i$, $J^{\mathcal D}_i=\mathbb "
            r"E_{(s,o,a)\sim\mathcal D}\,Q_{\phi_i}(s,(\mu_i(o_i),a_{-i}))$, $\mathbb "
            r"E_{\mathcal "
            r"D}[\nabla_{\theta_i}\mu_i(o_i)\nabla_{a_i}Q_{\phi_i}|_{a_i=\mu_i(o_i)}]$"
        ),
        exercise=True,
        closed=True,
        source="Lowe et al. 2017, eq. 5 and algorithm 1",
        errata="The text replaces agent 1's action whoever i is: docs/errata.md, A5.",
        laws=(
            "the chain rule is a difference quotient",
            "the others' actions come from the memory",
            "relabelling agents relabels everything",
        ),
    ),
    Equation(
        tag="2.5",
        label="polyak",
        title="Polyak averaging of target parameters",
        statement=r"$\theta'\leftarrow\tau\theta+(1-\tau)\theta'$",
        exercise=True,
        closed=True,
        source="Lillicrap et al. 2016; Polyak & Juditsky 1992",
        laws=(
            "the gap to a fixed θ shrinks by 1 − τ",
            "τ = 1 copies, τ = 0 keeps",
            "never overshoots",
        ),
    ),
    Equation(
        tag="2.6",
        label="coma-advantage",
        title="COMA's counterfactual advantage",
        statement=r"$A_i(s,a)=Q(s,a)-\sum_{a_i'}\pi_i(a_i'|o_i)Q(s,(a_{-i},a_i'))$",
        exercise=True,
        closed=True,
        source="Foerster et al. 2018",
        laws=(
            "Σ π_i A_i = 0",
            "adding f(s, a_-i) to Q changes nothing",
            "with exact Q it gives the policy gradient exactly",
            "the critic's target is one step at λ = 0, the return at λ = 1",
        ),
        errata="The text says what the baseline removes the wrong way round: docs/errata.md, A7.",
    ),
    Equation(
        tag="2.7",
        label="vdn",
        title="Value decomposition network",
        statement=(
            r"$Q_{tot}(s,a)=\sum_iQ_i(o_i,a_i)$, "
            r"$(r+\gamma(1-d)\max_{a'}Q'_{tot}(s',a')-Q_{tot})^2$"
        ),
        exercise=True,
        closed=True,
        source="Sunehag et al. 2018",
        laws=(
            "a tuple of greedy actions attains max_a Q_tot, which is the sum of the maxima",
            "each Q_i receives the gradient in Q_tot",
            "one state: exactly the games without interactions are representable",
            "uniform least squares are the main effects",
            "one agent: deep Q-learning",
            "off its own data it may diverge",
        ),
        errata="The text claims independence and guarantees: docs/errata.md, A6.",
    ),
    Equation(
        tag="2.8",
        label="qmix",
        title="QMIX: monotone mixing",
        statement=r"$Q_{tot}=f_s(Q_1..Q_n)$, $\partial f/\partial Q_i\ge0$",
        exercise=True,
        closed=True,
        source="Rashid et al. 2018",
        laws=(
            "a tuple of greedy actions attains max_a Q_tot",
            "no derivative in a Q_i is negative",
            "with suitable weights it is any sum on a bounded range, and learns as VDN does",
            "monotone games that are no sums are representable, exclusive-or is not",
            "with convex units an agent's gain never falls with another's",
        ),
        beyond=True,
    ),
    Equation(
        tag="2.9",
        label="potential-shaping",
        title="Potential-based reward shaping",
        statement=r"$r'=r+\gamma(1-d)\Phi(s')-\Phi(s)$",
        exercise=True,
        closed=True,
        source="Ng, Harada & Russell 1999; Devlin & Kudenko 2011; Grześ 2017",
        laws=(
            "Φ of a terminal state counts as 0, at a truncation it stays",
            "Q' = Q − Φ(s); optimal policies stay optimal",
            "Nash equilibria stay, with any Φ_i for each agent",
            "what is added telescopes along an episode",
        ),
    ),
    Equation(
        tag="2.10",
        label="difference-reward",
        title="Difference reward",
        statement=r"$D_i=G(s,a)-G(s,(a_{-i},c_i))$",
        exercise=True,
        closed=True,
        source="Tumer & Wolpert 2000; Agogino & Tumer 2008",
        laws=(
            "ΔD_i = ΔG exactly for a change of a_i alone",
            "D_i = 0 at a_i = c_i",
        ),
    ),
)
