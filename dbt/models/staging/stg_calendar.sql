-- One row: the dates and rates of the simulated year. A part of a year is days / days in that calendar year.
-- Pay ranges are those of the parameter table in the first simulated year and move by the structure increase after it.
with

annual_rates as (
    select
        simulation_year,
        cola_rate,
        structure_increase_rate
    from {{ source('parameters', 'annual_rates') }}
),

structure as (
    select
        round(coalesce(product((1 + structure_increase_rate)::double order by simulation_year), 1), 12)::decimal(18, 12)
            as structure_factor,
        round(coalesce(product((1 + cola_rate)::double order by simulation_year), 1), 12)::decimal(18, 12)
            as cola_factor
    from annual_rates
    where
        simulation_year > {{ param('start_year', 'integer') }}
        and simulation_year <= {{ param('simulation_year', 'integer') }}
)

select
    annual_rates.simulation_year,
    make_date(annual_rates.simulation_year - 1, 1, 1) as prior_year_start,
    make_date(annual_rates.simulation_year, 1, 1) as year_start,
    make_date(annual_rates.simulation_year, 12, 31) as year_end,
    dayofyear(make_date(annual_rates.simulation_year, 12, 31))::integer as days_in_year,
    annual_rates.cola_rate,
    structure.structure_factor,
    structure.cola_factor,
    {{ yearly_date('annual_rates.simulation_year', param('promotion_effective_date', 'varchar')) }} as promotion_date,
    {{ yearly_date('annual_rates.simulation_year', param('raise_fixed_date', 'varchar')) }} as fixed_raise_date,
    {{ yearly_date('annual_rates.simulation_year', param('escalation_effective_day', 'varchar')) }} as escalation_date,
    {{ yearly_date('annual_rates.simulation_year', param('reenrollment_date', 'varchar')) }} as reenrollment_date
from annual_rates
cross join structure
where annual_rates.simulation_year = {{ param('simulation_year', 'integer') }}
