"""Section 5 of the course: its rows of the ledger."""

from ._equation import Equation

ROWS = (
    Equation(
        tag="5.1",
        label="message-policy",
        title="Message policy",
        statement=r"$m_i^t=\mathrm{Comm}_i(s_i^t,h_i^t)$",
        exercise=True,
    ),
    Equation(
        tag="5.2",
        label="message-conditioned-policy",
        title="Message-conditioned policy",
        statement=r"$\pi_j(a_j|s_j,\{m_k\}_{k\ne j})$",
        exercise=True,
    ),
    Equation(
        tag="5.3",
        label="commnet",
        title="CommNet's averaged message",
        statement=r"$c_j=\frac1{n-1}\sum_{k\ne j}h_k$, $c_j=0$",
        exercise=True,
    ),
    Equation(
        tag="5.4",
        label="attention",
        title="Attention over messages",
        statement=(
            r"$\alpha_{jl}=\mathrm{softmax}_{l}(q_j^\top k_l/\sqrt d)$, "
            r"$c_j=\sum_l\alpha_{jl}v_l$"
        ),
        exercise=True,
    ),
    Equation(
        tag="5.5",
        label="dial",
        title="Differentiable inter-agent learning",
        statement=(
            r"$\hat m=\mathrm{logistic}(m+\xi),\ \xi\sim\mathcal N(0,\sigma^2)$, $\mathbb "
            r"1[m>0]$"
        ),
        exercise=True,
    ),
    Equation(
        tag="5.6",
        label="mutual-information",
        title="Mutual information of messages",
        statement=(
            r"$I(M;S)=\sum_{m,s}p(m,s)\log\frac{p(m,s)}{p(m)p(s)}$, $\mathbb "
            r"E\,KL(\pi(\cdot|o,m)\|\sum_{m'}p(m'|o)\pi(\cdot|o,m'))$"
        ),
        exercise=True,
    ),
    Equation(
        tag="5.7",
        label="auction-assignment",
        title="Auction assignment",
        statement=r"$\epsilon$-complementary slackness: $v_{ij}-p_j\ge\max_k(v_{ik}-p_k)-\epsilon$",
        exercise=True,
    ),
    Equation(
        tag="5.8",
        label="vcg",
        title="Vickrey–Clarke–Groves mechanism",
        statement=(
            r"$a^*=\arg\max_a\sum_jv_j(a)$, $p_i=\max_a\sum_{j\ne i}v_j(a)-\sum_{j\ne "
            r"i}v_j(a^*)$"
        ),
        exercise=True,
    ),
    Equation(
        tag="5.9",
        label="contract-net",
        title="Contract net",
        statement=r"announce, bid, award, acknowledge",
    ),
    Equation(
        tag="5.10",
        label="hierarchy",
        title="Hierarchical coordination",
        statement=r"global decision → group decisions → individual decisions",
    ),
    Equation(
        tag="5.11",
        label="consensus",
        title="Consensus",
        statement=r"$x(t+1)=Wx(t)$",
        exercise=True,
    ),
)
