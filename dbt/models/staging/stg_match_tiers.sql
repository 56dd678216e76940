-- The match formula, compiled once: it pays the match and it gives each person's match ceiling.
-- A tier pays its rate on deferrals from its lower to its upper share of plan compensation. match_below is what all
-- lower tiers of the same set pay together, as a share of plan compensation. Which set applies depends on completed
-- years, points or age where the formula says so; the set of a plain formula holds for every value.
select
    formulas.formula,
    formulas.name,
    formulas.kind,
    formulas.tiers_by,
    formulas.cap_rate,
    formulas.cap_amount,
    tiers.value_from,
    coalesce(tiers.value_to, 2147483647) as value_to,
    tiers.tier,
    tiers.lower_bound,
    tiers.upper_bound,
    tiers.match_rate,
    coalesce(
        sum(tiers.match_rate * (tiers.upper_bound - tiers.lower_bound)) over (
            partition by formulas.formula, tiers.value_from
            order by tiers.tier
            rows between unbounded preceding and 1 preceding
        ),
        0
    )::decimal(38, 12) as match_below
from {{ parameters('match_formulas') }} as formulas
inner join {{ parameters('match_tiers') }} as tiers
    on formulas.formula = tiers.formula
