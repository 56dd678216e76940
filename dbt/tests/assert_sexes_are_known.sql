{{ config(severity='warn', tags=['information']) }}
-- Where deaths and disability are simulated, whoever has a sex in the census is male or female there; others have the
-- mean of both rates.
with

simulated as (
    select count(*) as bands
    from {{ parameters('decrement_rates') }}
    where male_death_rate + female_death_rate + male_disability_rate + female_disability_rate > 0
)

select
    census.sex,
    count(*) as people
from {{ source('inputs', 'census') }} as census
cross join simulated
where
    simulated.bands > 0
    and census.is_simulated
    and trim(census.sex) <> ''
    and {{ sex_of('census.sex') }} = 'unknown'
group by census.sex
