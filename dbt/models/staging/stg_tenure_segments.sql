-- The tenure band and every factor that depends on service, for each number of completed years: a total map. The best
-- vested rate is that of all schedules so far.
with

years_of_service as (
    select unnest(range(0, 221))::integer as completed_years
),

vested as (
    select
        years_of_service.completed_years,
        {{ scheduled_rate('match') }} as match_vested_rate,
        {{ scheduled_rate('core') }} as core_vested_rate,
        max(schedules.vested_rate) filter (where schedules.contribution_source = 'match') as match_best_vested_rate,
        max(schedules.vested_rate) filter (where schedules.contribution_source = 'core') as core_best_vested_rate
    from years_of_service
    inner join {{ source('parameters', 'vesting_schedules') }} as schedules
        on
            years_of_service.completed_years >= schedules.years_from
            and (schedules.years_to is null or years_of_service.completed_years < schedules.years_to)
            and schedules.simulation_year <= {{ param('configuration_year') }}
    group by years_of_service.completed_years
)

select
    years_of_service.completed_years,
    bands.tenure_band,
    termination.multiplier::double as termination_multiplier,
    promotion.multiplier::double as promotion_multiplier,
    second_chance.factor::double as second_chance_factor,
    vested.match_vested_rate,
    vested.core_vested_rate,
    vested.match_best_vested_rate,
    vested.core_best_vested_rate
from years_of_service
inner join {{ parameters('tenure_bands') }} as bands
    on
        years_of_service.completed_years >= bands.tenure_from
        and (bands.tenure_to is null or years_of_service.completed_years < bands.tenure_to)
inner join {{ parameters('termination_by_tenure') }} as termination
    on bands.tenure_band = termination.tenure_band
inner join {{ parameters('promotion_by_tenure') }} as promotion
    on bands.tenure_band = promotion.tenure_band
inner join {{ parameters('second_chance_by_service') }} as second_chance
    on
        years_of_service.completed_years >= second_chance.tenure_from
        and (second_chance.tenure_to is null or years_of_service.completed_years < second_chance.tenure_to)
inner join vested
    on years_of_service.completed_years = vested.completed_years
