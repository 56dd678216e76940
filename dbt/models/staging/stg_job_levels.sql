-- The job levels with every factor that depends on the level.
-- Level from pay is total: the first level reaches down to nothing, the last one up without end.
with

levels as (
    select
        level_id,
        level_name,
        pay_from
    from {{ parameters('job_levels') }}
)

select
    levels.level_id,
    levels.level_name,
    case
        when levels.level_id = min(levels.level_id) over () then 0::decimal(18, 2)
        else levels.pay_from
    end as pay_from,
    lead(levels.pay_from) over (order by levels.level_id) as pay_to,
    lead(levels.level_id) over (order by levels.level_id) as next_level_id,
    termination.factor::double as termination_factor,
    promotion.factor::double as promotion_factor,
    merit.merit_rate as merit_shape,
    new_hire_pay.percentile as new_hire_percentile,
    new_hire_pay.market_factor as new_hire_market_factor,
    new_hire_pay.target_pay as new_hire_target_pay,
    new_hire_pay.log_sd::double as new_hire_log_sd,
    participation.join_factor::double as join_factor
from levels
inner join {{ parameters('termination_by_level') }} as termination
    on levels.level_id = termination.level_id
inner join {{ parameters('promotion_by_level') }} as promotion
    on levels.level_id = promotion.level_id
inner join {{ parameters('merit_by_level') }} as merit
    on levels.level_id = merit.level_id
inner join {{ parameters('new_hire_pay') }} as new_hire_pay
    on levels.level_id = new_hire_pay.level_id
inner join {{ parameters('participation_by_level') }} as participation
    on levels.level_id = participation.level_id
