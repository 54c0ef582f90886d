"""Section 6 of the course: its rows of the ledger."""

from ._equation import Equation

ROWS = (
    Equation(
        tag="6.1",
        label="maml",
        title="Model-agnostic meta-learning",
        statement=(
            r"$\min_\theta\mathbb E_\tau\,\mathcal L^{query}_\tau(\theta-\alpha\nabla\mathcal "
            r"L^{support}_\tau(\theta))$"
        ),
        exercise=True,
    ),
    Equation(
        tag="6.2",
        label="multi-agent-maml",
        title="Multi-agent MAML",
        statement=(
            r"$\min_{\theta_1..\theta_n}\sum_i\mathbb E_\tau\mathcal "
            r"L^{val}_{\tau,i}(\phi_{1,\tau},…,\phi_{n,\tau})$, "
            r"$\phi_{i,\tau}=\theta_i-\alpha_i\nabla_{\theta_i}\mathcal "
            r"L^{tr}_{\tau,i}(\theta_1,…,\theta_n)$"
        ),
        exercise=True,
    ),
    Equation(
        tag="6.3",
        label="reptile",
        title="Reptile",
        statement=r"$\theta\leftarrow\theta+\epsilon(\phi_\tau^k-\theta)$",
        exercise=True,
    ),
    Equation(
        tag="6.4",
        label="lola",
        title="Learning with opponent-learning awareness",
        statement=r"$\Delta\theta_i\propto\nabla_iV_i+\eta\,(\nabla_i\nabla_jV_j)\,\nabla_jV_i$",
        exercise=True,
        beyond=True,
    ),
    Equation(
        tag="6.5",
        label="opponent-model",
        title="Opponent model",
        statement=r"$p(\theta|h)\propto p(\theta)\prod_t\pi_\theta(a_t|s_t)$",
        exercise=True,
    ),
    Equation(
        tag="6.6",
        label="ewc",
        title="Elastic weight consolidation",
        statement=(
            r"$\mathcal L(\theta)+\frac\lambda2\sum_kF_k(\theta_k-\theta^*_k)^2$, $F_k=\mathbb"
            r" E[(\partial_k\log p_{\theta^*})^2]$"
        ),
        exercise=True,
    ),
    Equation(
        tag="6.7",
        label="progressive-net",
        title="Progressive network",
        statement=(
            r"$h^{(k)}_l=f(W^{(k)}_lh^{(k)}_{l-1}+\sum_{j<k}U^{(k:j)}_lh^{(j)}_{l-1})$, "
            r"columns $j<k$ frozen"
        ),
    ),
    Equation(
        tag="6.8",
        label="reservoir",
        title="Reservoir replay",
        statement=r"item $n$ replaces a uniform slot with probability $k/n$",
        exercise=True,
    ),
    Equation(
        tag="6.9",
        label="self-play",
        title="Self-play against the past",
        statement=r"$\pi_{t+1}=BR(\text{mixture of }\pi_1,\dots,\pi_t)$",
    ),
    Equation(
        tag="6.10",
        label="psro",
        title="Policy-space response oracles",
        statement=r"$\Pi_{t+1}=\Pi_t\cup BR(\sigma_t)$, $\sigma_t$ from the empirical game",
        exercise=True,
        beyond=True,
    ),
    Equation(
        tag="6.11",
        label="elo",
        title="Elo rating",
        statement=r"$E_{ij}=1/(1+10^{(r_j-r_i)/400})$, $r_i\leftarrow r_i+K(s-E)$",
        exercise=True,
    ),
    Equation(
        tag="6.12",
        label="alpha-rank",
        title="α-Rank",
        statement=r"$C_{st}=\eta\rho$, $\rho=\frac{1-e^{-\alpha\Delta}}{1-e^{-m\alpha\Delta}}$",
        exercise=True,
    ),
    Equation(
        tag="6.13",
        label="diversity",
        title="Population diversity",
        statement=r"$\mathbb E_{\pi_i,\pi_j\sim P}D(\pi_i,\pi_j)$",
        exercise=True,
    ),
    Equation(
        tag="6.14",
        label="pbt",
        title="Population-based training",
        statement=r"exploit: copy a better member; explore: perturb its hyperparameters",
        exercise=True,
    ),
    Equation(
        tag="6.15",
        label="forgetting",
        title="Forgetting and transfer",
        statement=r"$F=\frac1{T-1}\sum_{j<T}(\max_{l<T}R_{l,j}-R_{T,j})$",
        exercise=True,
    ),
)
