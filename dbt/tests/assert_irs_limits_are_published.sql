{{ config(severity='warn', tags=['information']) }}
-- The limits of the year are published ones, not projected.
select
    limit_year,
    reference
from {{ source('parameters', 'irs_limits') }}
where
    limit_year = {{ param('simulation_year') }}
    and is_projected
