"""Section 1 of the course: its rows of the ledger."""

from ._equation import Equation

ROWS = (
    Equation(
        tag="1.1",
        label="expected-utility",
        title="Expected utility",
        statement=r"$u_i(x)=\sum_a \big(\prod_j x_j(a_j)\big) u_i(a)$",
        exercise=True,
        closed=True,
        source="von Neumann & Morgenstern 1944, §17",
        laws=(
            "linear in each player's own strategy",
            "equal to u_i(a) where everybody plays the pure action a_i",
            "unchanged when actions are renamed in payoffs and strategies alike",
        ),
    ),
    Equation(
        tag="1.2",
        label="best-response",
        title="Best response",
        statement=r"$BR_i(x_{-i}) = \arg\max_{x_i} u_i(x_i, x_{-i})$",
        exercise=True,
        closed=True,
        source="Nash 1951",
        laws=(
            "a pure best response always exists; the mixed ones are the mixtures of the pure ones",
            "unaffected by adding f(a_-i) to u_i, and by the player's own present strategy",
            "a strictly dominated action is never one",
        ),
    ),
    Equation(
        tag="1.3",
        label="nash",
        title="Nash equilibrium",
        statement=(
            r"$u_i(x^*) \ge u_i(x_i, x_{-i}^*)\ \forall i, x_i$, "
            r"$\max_{x_i}u_i(x_i,x_{-i})-u_i(x)$"
        ),
        exercise=True,
        closed=True,
        source="Nash 1950; enumeration: von Stengel 2002, Avis et al. 2010",
        laws=(
            "NashConv ≥ 0, and 0 exactly where each played action is a best response",
            "positive affine changes of payoffs keep the equilibria",
            "renaming actions renames the equilibria",
            "deleting a strictly dominated action keeps the equilibria",
            "a nondegenerate bimatrix game has an odd number",
        ),
        errata="The text leaves open that strategies are mixed, and prints two of three equilibria "
        "of the coordination game: docs/errata.md, B1 and D.",
    ),
    Equation(
        tag="1.4",
        label="zero-sum-value",
        title="Value of a zero-sum game",
        statement=r"$v=\max_x\min_y x^\top A y=\min_y\max_x x^\top A y$",
        exercise=True,
        closed=True,
        source="von Neumann 1928; Dantzig 1951",
        laws=(
            "what x secures is what y concedes: minimax = maximin",
            "v(A + c) = v(A) + c, and v(cA) = c v(A) for c > 0",
            "v(-Aᵀ) = -v(A); 0 if A = -Aᵀ",
            "(ad - bc)/(a + d - b - c) for 2 × 2 games without a saddle point",
        ),
    ),
    Equation(
        tag="1.5",
        label="dominance",
        title="Iterated strict dominance",
        statement=(
            r"delete $a_i$ while "
            r"$\exists x_i:\ u_i(x_i,a_{-i})>u_i(a_i,a_{-i})\ \forall a_{-i}$"
        ),
        exercise=True,
        closed=True,
        source="Pearce 1984; Bernheim 1984",
        laws=(
            "every Nash equilibrium survives, and none is added",
            "the order of deletion does not matter",
            "doing it again changes nothing",
            "an action is dominated iff it is best against no belief",
        ),
    ),
    Equation(
        tag="1.6",
        label="pareto",
        title="Pareto optimality",
        statement=r"$\nexists a': u_j(a')\ge u_j(a)\ \forall j$",
        exercise=True,
        closed=True,
        source="Pareto 1906; algorithms: Kung, Luccio & Preparata 1975, Chomicki et al. 2003",
        laws=(
            "the frontier is not empty, and nothing on it is dominated",
            "everything off it is dominated by something on it",
            "unchanged by strictly increasing maps of each player's utility",
            "a maximiser of welfare is on it",
            "renaming players and actions renames it",
        ),
    ),
    Equation(
        tag="1.7",
        label="correlated",
        title="Correlated equilibrium",
        statement=(
            r"$p\ge0,\ \sum_ap(a)=1$, "
            r"$\sum_{a_{-i}}p(a)\,[u_i(a_i,a_{-i})-u_i(a_i',a_{-i})]\ge0\ \forall i,a_i,a_i'$"
        ),
        exercise=True,
        closed=True,
        source="Aumann 1974; coarse: Moulin & Vial 1978",
        laws=(
            "every Nash equilibrium is correlated, every correlated one is coarse",
            "a product distribution is correlated just where it is a Nash equilibrium",
            "the largest welfare is at least that of every Nash equilibrium",
            "in zero-sum games every correlated equilibrium pays the value",
            "a strictly dominated action is never told",
        ),
    ),
    Equation(
        tag="1.8",
        label="stackelberg",
        title="Stackelberg commitment",
        statement=r"$\max_{x_L} u_L(x_L, BR_F(x_L))$",
        exercise=True,
        closed=True,
        source="Conitzer & Sandholm 2006; weak: von Stengel & Zamir 2010",
        laws=(
            "strong ties pay the leader at least as much as weak ones",
            "strong: at least every Nash and every correlated payoff of the leader",
            "at least the best commitment to one action, under the same tie rule",
            "in zero-sum games it is the value, whoever leads",
            "unchanged by adding a function of the leader's action to the follower's payoffs",
        ),
        errata="The text takes the follower's argmax for one policy; it is a set and needs a rule "
        "for ties: docs/errata.md, A14.",
    ),
    Equation(
        tag="1.9",
        label="fictitious-play",
        title="Fictitious play",
        statement=r"$\bar x_i^{t+1}=\bar x_i^t+\frac1{t+1}(BR_i(\bar x_{-i}^t)-\bar x_i^t)$",
        exercise=True,
        closed=True,
        source="Brown 1951; Robinson 1951; Shapley 1964; Monderer & Shapley 1996",
        laws=(
            "t times an average is a count of plays; the first average is the start",
            "every play is a best response to the averages before it",
            "NashConv of the averages tends to 0 in two-player zero-sum and in potential games",
            "on Shapley's game it stays away from 0 from every pure start",
        ),
    ),
    Equation(
        tag="1.10",
        label="replicator",
        title="Replicator dynamics",
        statement=r"$\dot x_a = x_a\,(u(a,x)-\bar u(x))$",
        exercise=True,
        closed=True,
        source="Taylor & Jonker 1978",
        laws=(
            "the simplex and its faces are invariant; pure profiles and Nash equilibria rest",
            "the quotient of two shares grows at the difference of their utilities",
            "unchanged by payoffs that depend on the opponents alone",
            "zero-sum with a fully mixed equilibrium x*: Σ_i KL(x_i*‖x_i) is constant",
            "one population with A' = -A and A x* = 0: Π_a x_a^{x*_a} is constant",
            "two equal populations of a symmetric game move as one",
        ),
    ),
    Equation(
        tag="1.11",
        label="regret-matching",
        title="Regret matching",
        statement=(
            r"$x_{t+1}(a)\propto[R_t(a)]_+$, "
            r"$R_t(a)=\sum_{s\le t}u_s(a)-\langle x_s,u_s\rangle$"
        ),
        exercise=True,
        closed=True,
        source="Hart & Mas-Colell 2000; Tammelin 2014 (RM+)",
        laws=(
            "average regret at most Δ √(A/T), surely with expected regrets",
            "the mean of the joint strategies is a coarse correlated equilibrium up to the regrets",
            "zero-sum: NashConv of the average strategies at most the sum of the average regrets",
            "positive regrets and the regrets of the next round are orthogonal",
        ),
    ),
    Equation(
        tag="1.12",
        label="multi-agent-mdp",
        title="Multi-agent Markov decision process",
        statement=r"$(\mathcal S,\{\mathcal A_i\},P,\{R_i\},\gamma)$",
        exercise=True,
        closed=True,
        source="Shapley 1953; Littman 1994; one reward for all: Boutilier 1996",
        laws=(
            "the rows of P^π are distributions",
            "V_i = R_i^π + γ P^π V_i, which is the discounted sum of what is paid",
            "‖V_i‖∞ ≤ R_max/(1-γ)",
            "one state: the repeated game, V = u/(1-γ)",
            "affine in the rewards; renaming states and players renames the values",
        ),
        errata="Individual rewards make it a Markov game: docs/errata.md, A10.",
    ),
    Equation(
        tag="1.13",
        label="shapley-iteration",
        title="Shapley's value iteration",
        statement=r"$V(s)\leftarrow \mathrm{val}[R(s,\cdot)+\gamma\sum_{s'}P(s'|s,\cdot)V(s')]$",
        exercise=True,
        closed=True,
        source="Shapley 1953; samples: Littman 1994, Hu & Wellman 2003",
        laws=(
            "a γ-contraction in the sup norm, monotone; a constant comes back times γ",
            "γ = 0: the values of the matrix games; one column: ordinary value iteration",
            "the bound (γδ + η)/(1 - γ) certifies value and policies at any time",
            "Nash-Q is minimax-Q on zero-sum games, and need not contract in general",
        ),
    ),
    Equation(
        tag="1.14",
        label="marl-policy-gradient",
        title="Multi-agent policy gradient",
        statement=(
            r"$\nabla_{\theta_i}J_i=\mathbb "
            r"E\big[\sum_t\gamma^t\nabla_{\theta_i}\log\pi_i(a_{i,t}|o_{i,t})A_i^t\big]$"
        ),
        exercise=True,
        closed=True,
        source="Williams 1992; Sutton et al. 2000; Peshkin et al. 2000; γ^t: Thomas 2014",
        laws=(
            "the derivative of the exact J, whatever the policies see",
            "unchanged by baselines b_i(s, a_-i), exactly so over all plays of a short game",
            "shared parameters: the sum over agents",
            "one state and γ = 0: the replicator field; one agent: the policy gradient theorem",
            "in a team or potential game a small step of all along it raises J",
        ),
        errata="The text drops γ^t, and does not say on what A_i and o_i depend: "
        "docs/errata.md, A11.",
    ),
    Equation(
        tag="1.15",
        label="independent-q",
        title="Independent Q-learning",
        statement=(
            r"$Q_i(o_i,a_i)\leftarrow Q_i(o_i,a_i)+\alpha\,\delta_i$, "
            r"$\delta_i=r_i+\gamma(1-d)\max_{a'}Q_i(o_i',a')-Q_i(o_i,a_i)$"
        ),
        exercise=True,
        closed=True,
        source="Claus & Boutilier 1998; Matignon et al. 2007 (hysteretic); Panait et al. 2006",
        laws=(
            "one agent: Q-learning, bit for bit",
            "hysteretic with β = α and lenient with l = 0 are plain, bit for bit",
            "β = 0 never lowers a value; with α = 1 it is the best payoff ever seen",
            "nothing follows a terminal state",
            "a run is the same in any batch",
        ),
    ),
    Equation(
        tag="1.16",
        label="joint-action-q",
        title="Joint-action learning",
        statement=r"$EV_i(a_i)=\sum_{a_{-i}}\hat\pi_{-i}(a_{-i})Q(a_i,a_{-i})$",
        exercise=True,
        closed=True,
        source="Claus & Boutilier 1998",
        laws=(
            "with the true payoffs and mixtures the best actions are the best responses",
            "linear in the model and in the table",
            "every model sums to 1",
            "one player: Q-learning, bit for bit",
            "two players: product and joint models agree, bit for bit",
        ),
    ),
    Equation(
        tag="1.17",
        label="policy-nash",
        title="Nash equilibrium in policies",
        statement=r"$J_i(\pi_i^*,\pi_{-i}^*)\ge J_i(\pi_i,\pi_{-i}^*)$",
        exercise=True,
        closed=True,
        source="Fink 1964; Takahashi 1964; regrets as sums: Kakade & Langford 2002",
        laws=(
            "NashConv of policies ≥ 0, and 0 exactly where no policy, pure or mixed, gains",
            "the best response is the solution of the induced decision process",
            "one state and γ = 0: row 1.3",
            "potential-based shaping changes no regret",
            "no regret from any state: every stage game is in equilibrium",
        ),
    ),
    Equation(
        tag="1.18",
        label="policy-stackelberg",
        title="Stackelberg equilibrium in policies",
        statement=r"$\max_{\pi_L}J_L(\pi_L,\pi_F)$, $\pi_F\in BR(\pi_L)$",
    ),
    Equation(
        tag="1.19",
        label="induced-mdp",
        title="Induced single-agent MDP",
        statement=r"$P_i(s'|s,a_i)=\sum_{a_{-i}}\pi_{-i}(a_{-i}|s)P(s'|s,a)$, $R_i$",
        exercise=True,
        closed=True,
        source="Littman 1994; policy iteration: Howard 1960",
        laws=(
            "the rows of P_i are distributions, whatever the player's own policy",
            "the own policy is worth the same in the process and in the game",
            "moves with π_-i, in total variation by no more than the others' policies do",
            "alone, a player is in the game itself",
        ),
    ),
    Equation(
        tag="1.20",
        label="posg",
        title="Partially observed stochastic game",
        statement=r"$O_i(o_i|s',a)$, $b'(s')\propto O(o|s',a)\sum_sP(s'|s,a)b(s)$",
        exercise=True,
    ),
    Equation(
        tag="1.21",
        label="social-welfare",
        title="Social welfare and the price of anarchy",
        statement=r"$W(a)=\sum_iu_i(a)$, $\max_aW/\min_{NE}W$",
        exercise=True,
        closed=True,
        source="Koutsoupias & Papadimitriou 1999; stability: Anshelevich et al. 2004",
        laws=(
            "price of anarchy ≥ price of stability ≥ 1",
            "multiplying all payoffs by a positive constant changes neither",
            "with common interest the price of stability is 1",
            "the worst equilibrium alone decides the price of anarchy",
        ),
        errata="The printed welfares 2, 3 and 3 belong to other payoffs than section 1's: "
        "docs/errata.md, D.",
    ),
)
