{{ config(tags=['final_year']) }}
-- Rebuilding from the census and the ledger alone who may be in the plan, who is in it at what rate, and on what pay
-- the match is counted, gives what the snapshot says. It reads no working model and no earlier snapshot. Other marts
-- tell it the entry dates of the census's people, most of which lie before the first event, and the last day, which the
-- replay of the snapshot proves.
with

year_bounds as (
    select
        make_date({{ param('simulation_year') }}, 1, 1) as year_start,
        make_date({{ param('simulation_year') }}, 12, 31) as year_end,
        dayofyear(make_date({{ param('simulation_year') }}, 12, 31)) as days_in_year
),

ledger as not materialized (
    select
        employee_id,
        event_type,
        event_category,
        effective_date,
        compensation_before,
        compensation_after,
        level_after,
        amount,
        deferral_rate_after,
        -- in a struct, so that a date which is not there counts as what was said last
        case
            when event_type = 'eligibility' then {match: (event_details ->> 'match_entry_date')::date}
        end as match_entry,
        case
            when event_type <> 'eligibility' then null
            when event_category <> 'rule_change' then {deferral: effective_date}
            -- who had entered before the rules changed stays in
            when coalesce((event_details ->> 'deferral_entry_date')::date >= effective_date, true)
                then {deferral: (event_details ->> 'deferral_entry_date')::date}
        end as entry,
        simulation_year = {{ param('simulation_year') }} as is_this_year,
        simulation_year * 1000 + event_sequence as position
    from {{ ref('fct_yearly_events') }}
    where
        simulation_year <= {{ param('simulation_year') }}
        and event_type not in {{ event_types_about(['money']) }}
        and event_type <> 'termination'
),

histories as (
    select
        employee_id,
        arg_max(level_after, position) filter (where not is_this_year) as opening_level_id,
        arg_max(compensation_after, position) filter (where not is_this_year) as opening_compensation,
        sum(compensation_after - compensation_before) filter (where is_this_year and event_type = 'raise') as raised,
        max(effective_date) filter (where is_this_year and event_type = 'raise') as raised_on,
        sum(compensation_after - compensation_before) filter (where is_this_year and event_type = 'promotion')
            as promoted,
        max(effective_date) filter (where is_this_year and event_type = 'promotion') as promoted_on,
        sum(amount) filter (where is_this_year and event_type = 'bonus') as bonus,
        max(effective_date) filter (where is_this_year and event_type = 'bonus') as bonus_on,
        arg_max(entry, position) as entry,
        arg_max(match_entry, position) as match_entry,
        arg_max(deferral_rate_after, position) as deferral_rate,
        max(effective_date) filter (where event_type = 'enrollment') as enrollment_date,
        arg_max(event_category, position) filter (where event_type = 'enrollment') as enrollment_category,
        arg_max(event_category, position) filter (where event_type = 'enrollment' or event_category = 'opt_out')
            as last_step,
        count(*) filter (where event_type = 'deferral_escalation') as escalations,
        bool_or(is_this_year and event_type = 'hce_status') as is_hce
    from ledger
    group by employee_id
),

people as (
    select
        snapshot.employee_id,
        greatest(snapshot.employee_hire_date, year_bounds.year_start) as first_date,
        coalesce(snapshot.termination_date, year_bounds.year_end) as last_date,
        year_bounds.days_in_year,
        case
            when histories.entry is null then entrants.deferral_entry_date
            else histories.entry.deferral
        end as eligible_from,
        case
            when histories.match_entry is null then entrants.match_entry_date
            else histories.match_entry.match
        end as match_eligible_from,
        coalesce(histories.opening_compensation, entrants.entry_compensation) as opening_rate,
        coalesce(census.employee_deferral_rate, 0)::decimal(9, 6) as census_rate,
        census.employee_enrollment_date as census_enrollment_date,
        case when census.employee_deferral_rate > 0 then coalesce(census.enrollment_method, 'voluntary') end
            as census_method,
        entrants.plan_eligible_override is not null
        or not exists (
            select 1
            from {{ parameters('excluded_groups') }} as groups
            where
                (
                    groups.kind = 'level'
                    and groups.name = coalesce(histories.opening_level_id, entrants.entry_level_id)::varchar
                )
                or (groups.kind = 'department' and groups.name = lower(trim(entrants.department)))
                or (groups.kind = 'location' and groups.name = lower(trim(entrants.location)))
                or (groups.kind = 'employee_class' and groups.name = lower(trim(entrants.employee_class)))
                or (groups.kind = 'sex' and groups.name = lower(trim(entrants.sex)))
        ) as is_included,
        histories.raised,
        histories.raised_on,
        histories.promoted,
        histories.promoted_on,
        histories.bonus,
        histories.bonus_on,
        histories.deferral_rate,
        histories.enrollment_date,
        histories.enrollment_category,
        histories.last_step,
        histories.escalations,
        histories.is_hce
    from {{ ref('fct_workforce_snapshot') }} as snapshot
    cross join year_bounds
    inner join {{ ref('dim_employee') }} as entrants
        on snapshot.employee_id = entrants.employee_id
    left join {{ source('inputs', 'census') }} as census
        on
            entrants.employee_id = census.employee_id
            and entrants.origin = 'census'
    left join histories
        on snapshot.employee_id = histories.employee_id
    where snapshot.simulation_year = {{ param('simulation_year') }}
),

counted as (
    select
        *,
        case
            when {{ param('compensation_from') }} = 'plan_year' then first_date
            else greatest(first_date, match_eligible_from)
        end as pay_from
    from people
),

replayed as (
    select
        counted.employee_id,
        case
            when
                not counted.is_included
                or counted.match_eligible_from is null
                or counted.match_eligible_from > counted.last_date
                then 0
            else least(
                limits.compensation_limit,
                {{ per_year(
                    'counted.opening_rate * greatest(counted.last_date - counted.pay_from + 1, 0) '
                    ~ '+ coalesce(counted.raised '
                    ~ '* greatest(counted.last_date - greatest(counted.raised_on, counted.pay_from) + 1, 0), 0) '
                    ~ '+ coalesce(counted.promoted '
                    ~ '* greatest(counted.last_date - greatest(counted.promoted_on, counted.pay_from) + 1, 0), 0)',
                    'counted.days_in_year'
                ) }}
                + case
                    when {{ param('bonus_in_plan') }} and counted.bonus_on >= counted.pay_from then counted.bonus
                    else 0
                end
            )
        end::decimal(18, 2) as plan_compensation,
        case when counted.is_included then counted.eligible_from end as eligibility_date,
        counted.is_included and coalesce(counted.eligible_from <= counted.last_date, false) as is_eligible,
        coalesce(counted.deferral_rate, counted.census_rate) > 0 as is_enrolled,
        coalesce(counted.enrollment_date, counted.census_enrollment_date) as enrollment_date,
        case
            when counted.enrollment_category in ('automatic', 'reenrollment') then 'auto'
            when counted.enrollment_category is not null then 'voluntary'
            else counted.census_method
        end as enrollment_method,
        case
            when counted.last_step is null then counted.census_rate = 0 and counted.census_enrollment_date is not null
            else counted.last_step = 'opt_out'
        end as has_opted_out,
        coalesce(counted.deferral_rate, counted.census_rate) as current_deferral_rate,
        coalesce(counted.escalations, 0)::integer as escalation_count,
        coalesce(counted.is_hce, false) as is_hce
    from counted
    cross join {{ ref('stg_irs_limits') }} as limits
),

{{ differences_from_snapshot([
    'plan_compensation',
    'eligibility_date',
    'is_eligible',
    'is_enrolled',
    'enrollment_date',
    'enrollment_method',
    'has_opted_out',
    'current_deferral_rate',
    'escalation_count',
    'is_hce'
]) }}
