-- One row: the limits of the plan year, and the threshold of the year before that makes somebody highly compensated.
-- A blank limit means that the rule was not in force: no higher catch-up at 60 to 63 before 2025, no mandatory Roth
-- catch-up before 2026.  Code sections 402(g), 414(v), 401(a)(17), 415(c), 414(q); SSA section 230.
select
    limits.limit_year,
    limits.elective_deferral_limit,
    limits.catch_up_limit,
    limits.super_catch_up_limit,
    limits.compensation_limit,
    limits.annual_additions_limit,
    before.hce_threshold as prior_year_hce_threshold,
    limits.social_security_wage_base,
    limits.roth_catch_up_wage_threshold,
    limits.is_projected
from {{ source('parameters', 'irs_limits') }} as limits
inner join {{ source('parameters', 'irs_limits') }} as before
    on limits.limit_year = before.limit_year + 1
where limits.limit_year = {{ param('simulation_year') }}
