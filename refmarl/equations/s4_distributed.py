"""Section 4 of the course: its rows of the ledger."""

from ._equation import Equation

ROWS = (
    Equation(
        tag="4.1",
        label="n-step-return",
        title="n-step return",
        statement=r"$G_t^{(n)}=\sum_{k<m}\gamma^kr_{t+k}+\gamma^m(1-d_{t+m-1})V(s_{t+m})$",
        exercise=True,
        closed=True,
        source="Watkins 1989; Sutton & Barto 2018, chapter 7",
        laws=(
            "n = 1 is the TD target",
            "n beyond every end is Monte Carlo",
            "n + 1 steps are one step before n steps",
            "their geometric mixture is the λ-return",
            "an error of the values is left with the weight γ^n",
        ),
        errata="The text names it and gives no formula: docs/errata.md.",
    ),
    Equation(
        tag="4.2",
        label="a3c-gradient",
        title="A3C's gradient",
        statement=(
            r"$\nabla\theta_i=\sum_{t\le "
            r"t_{max}}[\nabla\log\pi(a_t|s_t)(R_t-V(s_t))+\beta\nabla\mathcal "
            r"H(\pi(\cdot|s_t))]$, $R_t=r_t+\gamma(1-d_t)R_{t+1}$, $\nabla_v\sum_t\frac12(R_t-"
            r"V_v(s_t))^2$"
        ),
        exercise=True,
    ),
    Equation(
        tag="4.3",
        label="a3c-update",
        title="A3C's asynchronous update",
        statement=r"$\theta\leftarrow\theta+\alpha\,\nabla\theta_i(\theta^{(t-\tau_i)})$",
    ),
    Equation(
        tag="4.4",
        label="vtrace",
        title="V-trace target",
        statement=r"$v_s=V(x_s)+\sum_{t=s}^{s+n-1}\gamma^{t-s}\big(\prod_{i=s}^{t-1}c_i(1-d_i)\big)\rho_t\,(r_t+\gamma(1-d_t)V(x_{t+1})-V(x_t))$",
        exercise=True,
    ),
    Equation(
        tag="4.5",
        label="vtrace-weights",
        title="Truncated importance weights",
        statement=r"$\rho_t=\min(\barρ,\pi/\mu)$, $c_t=\lambda\min(\bar c,\pi/\mu)$",
        exercise=True,
    ),
    Equation(
        tag="4.6",
        label="impala-gradient",
        title="IMPALA's policy gradient",
        statement=r"$\rho_s\nabla\log\pi(a_s|x_s)(r_s+\gamma(1-d_s)v_{s+1}-V(x_s))$",
        exercise=True,
    ),
    Equation(
        tag="4.7",
        label="gradient-average",
        title="Gradient averaging",
        statement=r"$g=\frac1N\sum_ig_i$",
        exercise=True,
    ),
    Equation(
        tag="4.8",
        label="all-reduce",
        title="All-reduce",
        statement=r"every rank ends with $\sum_k x^{(k)}$",
        exercise=True,
    ),
    Equation(
        tag="4.9",
        label="parameter-server",
        title="Parameter server",
        statement=r"$\theta_{t+1}=\theta_t-\alpha\sum_{i\in\mathrm{available}}\nabla_i(\theta_{t-\tau_i})$",
        exercise=True,
    ),
    Equation(
        tag="4.10",
        label="es-gradient",
        title="Evolution strategies",
        statement=r"$\theta\leftarrow\theta+\alpha\frac1{\sigma\lambda}\sum_kR_k\epsilon_k$",
        exercise=True,
    ),
)
