-- How each person's match came about: the formula, the deferrals it was paid on, the tiers used, the caps hit, and the
-- amount before and after the gates and limits. One row for everyone employed in the year.
select
    {{ param('scenario_id') }} as scenario_id,
    {{ param('plan_design_id') }} as plan_design_id,
    {{ param('simulation_year') }} as simulation_year,
    people.employee_id,
    formulas.name as match_formula,
    people.plan_compensation,
    coalesce(deferrals.deferral, 0)::decimal(18, 2) as deferral_amount,
    coalesce(matches.matched_deferral, 0)::decimal(18, 2) as matched_deferral_amount,
    case
        when coalesce(matches.tiers_reached, 0) = 0 then 'none'
        when matches.tiers_reached = 1 then '1'
        else '1-' || matches.tiers_reached
    end as tiers_used,
    case
        when matches.is_capped_by_amount and matches.is_capped_by_rate then 'cap_rate, cap_amount'
        when matches.is_capped_by_amount then 'cap_amount'
        when matches.is_capped_by_rate then 'cap_rate'
        else 'none'
    end as caps_hit,
    coalesce(matches.match_before_caps, 0)::decimal(18, 2) as match_before_caps_amount,
    coalesce(matches.match_amount, 0)::decimal(18, 2) as match_before_limits_amount,
    people.employer_match_amount as match_amount,
    coalesce(matches.lost_to_timing, 0)::decimal(18, 2) as lost_to_timing_amount,
    people.match_status
from {{ ref('fct_workforce_snapshot') }} as people
inner join {{ parameters('match_formulas') }} as formulas
    on formulas.formula = 'current'
left join {{ ref('int_elective_deferrals') }} as deferrals
    on people.employee_id = deferrals.employee_id
left join {{ ref('int_employer_match') }} as matches
    on people.employee_id = matches.employee_id
where people.simulation_year = {{ param('simulation_year') }}
