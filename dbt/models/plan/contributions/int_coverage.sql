-- How many of those whom the plan may not leave out benefit, by source and standing. Code section 410(b)(2)(A), (b)(3).
-- Out of the count are people under the plan's own age and service, whose benefits are bargained collectively, and
-- leavers of at most 500 hours who get nothing. Deferrals benefit who may defer, match and core who may share in it and
-- passes the gates. One row.
with

people as (
    select
        eligible.employee_id,
        hce.employee_id is not null as is_hce,
        eligible.entry_basis = 'override' as is_overridden,
        eligible.termination_date is not null and eligible.hundredths_of_hours <= 50000 as is_short_leaver,
        eligible.as_of,
        eligible.deferral_entry_date,
        eligible.match_entry_date,
        eligible.core_entry_date,
        eligible.deferral_from_day is not null as gets_deferral,
        match_formulas.kind <> 'none' and eligible.match_from_day is not null
        and {{ failed_gate('eligible', 'match') }} is null as gets_match,
        core_formulas.kind <> 'none' and eligible.core_from_day is not null
        and {{ failed_gate('eligible', 'core') }} is null as gets_core
    from {{ ref('int_eligibility') }} as eligible
    inner join {{ parameters('match_formulas') }} as match_formulas
        on match_formulas.formula = 'current'
    cross join {{ parameters('core_formulas') }} as core_formulas
    left join {{ ref('int_hce') }} as hce
        on eligible.employee_id = hce.employee_id
    where not eligible.is_collectively_bargained
)

select
    {{ coverage_counts('deferral', 'nhce', 'not is_hce') }},
    {{ coverage_counts('deferral', 'hce', 'is_hce') }},
    {{ coverage_counts('match', 'nhce', 'not is_hce') }},
    {{ coverage_counts('match', 'hce', 'is_hce') }},
    {{ coverage_counts('core', 'nhce', 'not is_hce') }},
    {{ coverage_counts('core', 'hce', 'is_hce') }}
from people
