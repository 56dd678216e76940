-- One row: the dates and rates of the simulated year.
select
    simulation_year,
    prior_year_start,
    year_start,
    year_end,
    days_in_year,
    cola_rate,
    structure_factor,
    promotion_date,
    fixed_raise_date,
    bonus_date,
    escalation_date,
    reenrollment_date
from {{ ref('stg_years') }}
where simulation_year = {{ param('simulation_year') }}
