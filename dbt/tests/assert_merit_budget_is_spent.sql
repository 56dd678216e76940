-- The payroll-weighted merit of the year's full raises is the budget, within half a cent for each raise.
with

raises as (
    select
        count(*) as raises,
        sum(compensation_before) as payroll,
        sum(compensation_after - compensation_before) as increase
    from {{ ref('fct_yearly_events') }}
    where
        simulation_year = {{ param('simulation_year') }}
        and event_type = 'raise'
        and event_category = 'merit_and_cola'
),

budget as (
    select
        raises.raises,
        raises.increase,
        raises.payroll * ({{ param('merit_budget') }} + rates.cola_rate) as expected_increase
    from raises
    cross join {{ source('parameters', 'annual_rates') }} as rates
    where rates.simulation_year = {{ param('simulation_year') }}
)

select
    raises,
    increase,
    expected_increase
from budget
where
    raises > 0
    and abs(increase - expected_increase) > 0.005 * raises + 0.01
