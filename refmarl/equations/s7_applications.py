"""Section 7 of the course: its rows of the ledger."""

from ._equation import Equation

ROWS = (
    Equation(
        tag="7.1",
        label="allocation",
        title="Resource allocation",
        statement=r"$\sum_ix_{ij}\le q_j$",
        exercise=True,
    ),
    Equation(
        tag="7.2",
        label="core",
        title="Core and least core",
        statement=r"$\sum_{i\in S}x_i\ge v(S)\ \forall S$, $\sum_ix_i=v(N)$",
        exercise=True,
    ),
    Equation(
        tag="7.3",
        label="shapley-value",
        title="Shapley value",
        statement=r"$\phi_i=\sum_{S\not\ni i}\frac{|S|!(n-|S|-1)!}{n!}(v(S\cup i)-v(S))$",
        exercise=True,
    ),
    Equation(
        tag="7.4",
        label="nucleolus",
        title="Nucleolus",
        statement=r"$\sum_ix_i=v(N)$, $x_i\ge v(i)$",
        exercise=True,
    ),
    Equation(
        tag="7.5",
        label="banzhaf",
        title="Banzhaf index",
        statement=r"$\beta_i=2^{-(n-1)}\sum_{S\not\ni i}(v(S\cup i)-v(S))$",
        exercise=True,
    ),
    Equation(
        tag="7.6",
        label="idm",
        title="Intelligent driver model",
        statement=(
            r"$\dot v=a[1-(v/v_0)^4-(s^*/s)^2]$, $s^*=s_0+\max(0,vT+v\Delta v/(2\sqrt{ab}))$, "
            r"$\Delta v=v-v_{lead}$"
        ),
        exercise=True,
    ),
    Equation(
        tag="7.7",
        label="power-balance",
        title="Power balance",
        statement=r"$SOC_{t+1}=SOC_t+(\eta_cp^c_t-p^d_t/\eta_d)\,\Delta t$",
        exercise=True,
    ),
    Equation(
        tag="7.8",
        label="avellaneda-stoikov",
        title="Avellaneda–Stoikov quotes",
        statement=(
            r"$r=s-q\gamma\sigma^2(T-t)$, "
            r"$\delta^a+\delta^b=\gamma\sigma^2(T-t)+\frac2\gamma\ln(1+\frac\gamma k)$"
        ),
        exercise=True,
    ),
    Equation(
        tag="7.9",
        label="order-book",
        title="Limit order book",
        statement=r"best price first, then earliest arrival",
        exercise=True,
    ),
    Equation(
        tag="7.10",
        label="vicsek",
        title="Vicsek alignment",
        statement=(
            r"$\phi=\frac1{Nv}\|\sum v_i\|$, "
            r"$\theta_i'=\arg\sum_{j:\,d_{ij}<r}e^{i\theta_j}+\eta\xi_i$"
        ),
        exercise=True,
    ),
    Equation(
        tag="7.11",
        label="coverage",
        title="Coverage by Lloyd's iteration",
        statement=r"$p_i\leftarrow$, $H(p)=\sum_i\int_{V_i}\|x-p_i\|^2\varphi\,dx$",
        exercise=True,
    ),
)
