{{ config(severity='warn', tags=['plausibility']) }}
-- The average rate of pay grows by at most the configured rate in the year.
select
    metric,
    value
from {{ ref('fct_annual_metrics') }}
where
    simulation_year = {{ param('simulation_year') }}
    and metric = 'compensation_growth_all'
    and value > {{ param('maximum_average_pay_growth') }}
