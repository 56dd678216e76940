-- The ledger: one row for each event of the simulated year, in a stated order within each person.
-- The order is by date, then hire, promotion, raise, termination. The id is a UUID made from what the event is, so the
-- same run gives the same ids.
with

hires as (
    select
        employee_id,
        'hire' as event_type,
        'new_hire' as event_category,
        hire_date as effective_date,
        1 as type_order,
        null::decimal(18, 2) as compensation_before,
        compensation as compensation_after,
        null::integer as level_before,
        level_id as level_after,
        null::decimal(18, 2) as amount,
        null::decimal(9, 6) as event_probability,
        null::double as random_draw,
        '{"department":null,"employee_birth_date":"' || birth_date
        || '","scheduled_hours_per_week":' || scheduled_hours_per_week || '}' as event_details
    from {{ ref('int_hires') }}
),

promotions as (
    select
        employee_id,
        'promotion' as event_type,
        'level_change' as event_category,
        promotion_date as effective_date,
        6 as type_order,
        compensation_before,
        compensation_after,
        level_before,
        level_after,
        (compensation_after - compensation_before)::decimal(18, 2) as amount,
        promotion_probability as event_probability,
        promotion_draw as random_draw,
        '{"increase_rate":' || increase_rate || '}' as event_details
    from {{ ref('int_promotions') }}
),

raises as (
    select
        employee_id,
        'raise' as event_type,
        'merit_and_cola' as event_category,
        raise_date as effective_date,
        7 as type_order,
        compensation_before,
        compensation_after,
        level_id as level_before,
        level_id as level_after,
        (compensation_after - compensation_before)::decimal(18, 2) as amount,
        null::decimal(9, 6) as event_probability,
        null::double as random_draw,
        event_details
    from {{ ref('int_raises') }}
),

leavers as (
    select
        employee_id,
        termination_reason,
        termination_date,
        exit_probability,
        exit_draw,
        '{"population":"experienced"}' as event_details
    from {{ ref('int_exits') }}
    union all
    select
        employee_id,
        termination_reason,
        termination_date,
        exit_probability,
        exit_draw,
        '{"population":"new_hire"}' as event_details
    from {{ ref('int_new_hire_exits') }}
),

terminations as (
    select
        employee_id,
        'termination' as event_type,
        termination_reason as event_category,
        termination_date as effective_date,
        12 as type_order,
        null::decimal(18, 2) as compensation_before,
        null::decimal(18, 2) as compensation_after,
        null::integer as level_before,
        null::integer as level_after,
        null::decimal(18, 2) as amount,
        exit_probability as event_probability,
        exit_draw as random_draw,
        event_details
    from leavers
),

events as (
    select * from hires
    union all by name
    select * from promotions
    union all by name
    select * from raises
    union all by name
    select * from terminations
)

select
    {{ param('scenario_id', 'varchar') }} as scenario_id,
    {{ param('plan_design_id', 'varchar') }} as plan_design_id,
    md5(
        {{ param('scenario_id', 'varchar') }} || '|' || {{ param('plan_design_id', 'varchar') }} || '|' || employee_id
        || '|' || {{ param('simulation_year', 'integer') }} || '|' || event_type || '|1'
    )::uuid::varchar as event_id,
    {{ param('simulation_year', 'integer') }} as simulation_year,
    employee_id,
    event_type,
    event_category,
    effective_date,
    (row_number() over (partition by employee_id order by effective_date, type_order))::integer as event_sequence,
    compensation_before,
    compensation_after,
    level_before,
    level_after,
    null::decimal(9, 6) as deferral_rate_before,
    null::decimal(9, 6) as deferral_rate_after,
    amount,
    event_probability,
    random_draw,
    event_details
from events
