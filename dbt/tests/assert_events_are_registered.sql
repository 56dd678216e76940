{{ config(tags=['development']) }}
-- The ledger holds no type of event that stg_event_types does not list, and no category that it does not allow. Where
-- it lists none, the category is the name of a formula of the configuration.
with

kinds as (
    select
        event_type,
        event_category,
        count(*) as events
    from {{ ref('fct_yearly_events') }}
    where simulation_year = {{ param('simulation_year') }}
    group by event_type, event_category
),

formulas as (
    select
        'match' as account,
        name
    from {{ parameters('match_formulas') }}
    union all
    select
        'core' as account,
        case when name = 'none' then 'reallocated_forfeitures' else name end as name
    from {{ parameters('core_formulas') }}
)

select
    kinds.event_type,
    kinds.event_category,
    kinds.events
from kinds
left join {{ ref('stg_event_types') }} as types
    on kinds.event_type = types.event_type
left join formulas
    on
        types.categories is null
        and types.account = formulas.account
        and kinds.event_category = formulas.name
where
    types.event_type is null
    or not coalesce(list_contains(types.categories, kinds.event_category), formulas.name is not null)
