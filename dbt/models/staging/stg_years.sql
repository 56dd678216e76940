-- The dates and rates of every year there are rates for. A part of a year is days / days in that calendar year.
-- Pay ranges and income bounds are those of the parameter tables in the first simulated year and move by the structure
-- increase after it.
with

annual_rates as (
    select
        simulation_year,
        cola_rate,
        structure_increase_rate
    from {{ source('parameters', 'annual_rates') }}
),

factors as (
    select
        annual_rates.simulation_year,
        round(
            coalesce(product((1 + earlier.structure_increase_rate)::double order by earlier.simulation_year), 1), 12
        )::decimal(18, 12) as structure_factor
    from annual_rates
    left join annual_rates as earlier
        on
            annual_rates.simulation_year >= earlier.simulation_year
            and earlier.simulation_year > {{ param('start_year') }}
    group by annual_rates.simulation_year
)

select
    annual_rates.simulation_year,
    make_date(annual_rates.simulation_year - 1, 1, 1) as prior_year_start,
    make_date(annual_rates.simulation_year, 1, 1) as year_start,
    make_date(annual_rates.simulation_year, 12, 31) as year_end,
    dayofyear(make_date(annual_rates.simulation_year, 12, 31))::integer as days_in_year,
    annual_rates.cola_rate,
    factors.structure_factor,
    {{ yearly_date('annual_rates.simulation_year', param('promotion_effective_date')) }} as promotion_date,
    {{ yearly_date('annual_rates.simulation_year', param('raise_fixed_date')) }} as fixed_raise_date,
    {{ yearly_date('annual_rates.simulation_year', param('bonus_pay_date')) }} as bonus_date,
    {{ yearly_date('annual_rates.simulation_year', param('escalation_effective_day')) }} as escalation_date,
    {{ yearly_date('annual_rates.simulation_year', param('reenrollment_date')) }} as reenrollment_date
from annual_rates
inner join factors
    on annual_rates.simulation_year = factors.simulation_year
