-- How participants answer, on 1 January, to another match than that of the year before.
-- A higher ceiling moves some of those below it to it, or half-way; a lower one moves some of those between the two
-- down to it, or half-way. Half-way is rounded down to a whole percent. A match that ends is answered half-way only,
-- and by nobody with nothing, so that a suspension does not make savers stop for good.
with

ceilings as (
    select
        employee_id,
        coalesce(max(match_ceiling) filter (where formula = 'current'), 0) as ceiling,
        coalesce(max(match_ceiling) filter (where formula = 'previous'), 0) as previous_ceiling
    from {{ ref('int_match_ceilings') }}
    where
        exists (
            select 1
            from {{ parameters('match_formulas') }} as stated
            where stated.formula = 'previous'
        )
    group by employee_id
),

tempted as (
    select
        people.employee_id,
        people.opening_rate as rate_before,
        people.year_start as responded_on,
        ceilings.ceiling,
        ceilings.previous_ceiling,
        ceilings.ceiling > ceilings.previous_ceiling as is_increase,
        {{ lasting_draw_key('match_response', 'people.employee_id') }} as draw_key
    from {{ ref('int_eligibility') }} as people
    inner join ceilings
        on people.employee_id = ceilings.employee_id
    where
        people.opening_rate > 0
        -- who has opted out has answered
        and people.pending_kind is null
        and {{ param('simulation_year') }} = {{ param('configuration_year') }}
        and (
            (ceilings.ceiling > ceilings.previous_ceiling and people.opening_rate < ceilings.ceiling)
            or (
                ceilings.ceiling < ceilings.previous_ceiling
                and people.opening_rate > ceilings.ceiling
                and people.opening_rate <= ceilings.previous_ceiling
            )
        )
),

drawn as (
    select
        *,
        {{ draw('draw_key') }} as response_draw,
        case
            when is_increase then {{ param('match_increase_response_rate') }}
            else {{ param('match_decrease_response_rate') }}
        end as response_probability,
        case
            when
                ceiling > 0
                and {{ draw2('draw_key') }} < case
                    when is_increase then {{ param('match_increase_full_share') }}
                    else {{ param('match_decrease_full_share') }}
                end::double
                then ceiling
            when ceiling = 0 then greatest(floor(rate_before * 50) / 100, least(rate_before, 0.01))
            else floor((rate_before + ceiling) * 50) / 100
        end::decimal(9, 6) as rate_after
    from tempted
)

select
    employee_id,
    responded_on,
    case when is_increase then 'increase' else 'decrease' end as response,
    rate_before,
    least(rate_after, {{ param('maximum_deferral_rate') }}) as rate_after,
    ceiling,
    previous_ceiling,
    response_probability,
    response_draw
from drawn
where
    response_draw < response_probability::double
    and (rate_after > rate_before) = is_increase
    and rate_after <> rate_before
