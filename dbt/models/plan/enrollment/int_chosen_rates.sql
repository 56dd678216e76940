-- The deferral rate that people who join voluntarily choose.
-- By age and income; where that is below the match ceiling, a lasting draw decides who takes the ceiling instead.
select
    joining.employee_id,
    least(
        case
            when
                choice.deferral_rate < ceilings.match_ceiling
                and {{ draw(lasting_draw_key('ceiling_choice', 'joining.employee_id')) }}
                < {{ param('ceiling_share') }}::double
                then ceilings.match_ceiling
            else choice.deferral_rate
        end,
        {{ param('maximum_deferral_rate') }}
    ) as deferral_rate
from {{ ref('int_joining') }} as joining
inner join {{ parameters('deferral_choice') }} as choice
    on
        joining.participation_age_from = choice.age_from
        and joining.income_band = choice.income_from
left join {{ ref('int_match_ceilings') }} as ceilings
    on
        joining.employee_id = ceilings.employee_id
        and ceilings.formula = 'current'
