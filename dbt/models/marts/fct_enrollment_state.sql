-- What the plan has to remember of people who are employed at the close, beyond the snapshot: a choice or an opt-out
-- that takes effect next year, the last opt-out, whether they changed their rate themselves since they were enrolled,
-- and what holds for them since the rules changed: their entry dates, and the vested part that they keep.
with

pending_enrollments as (
    select
        joining.employee_id,
        joining.joins_on as pending_date,
        rates.deferral_rate as pending_rate,
        joining.join_probability::decimal(9, 6) as pending_probability,
        joining.join_draw as pending_draw
    from {{ ref('int_joining') }} as joining
    inner join {{ ref('int_chosen_rates') }} as rates
        on joining.employee_id = rates.employee_id
    left join {{ ref('int_enrollments') }} as enrollments
        on joining.employee_id = enrollments.employee_id
    where
        joining.joins_on > make_date({{ param('simulation_year') }}, 12, 31)
        and enrollments.employee_id is null
),

pending_opt_outs as (
    select
        employee_id,
        opts_out_on as pending_date,
        opt_out_probability as pending_probability,
        opt_out_draw as pending_draw
    from {{ ref('int_enrollments') }}
    where opts_out_on > make_date({{ param('simulation_year') }}, 12, 31)
    union all
    select
        employee_id,
        opts_out_on as pending_date,
        opt_out_probability as pending_probability,
        opt_out_draw as pending_draw
    from {{ ref('int_reenrollments') }}
    where opts_out_on > make_date({{ param('simulation_year') }}, 12, 31)
),

elections as (
    select
        employee_id,
        max(effective_date) filter (where event_category = 'opt_out') as opted_out_on,
        arg_max(
            event_category = 'own_change' or event_type = 'deferral_match_response', effective_date
        ) filter (
            where event_type in ('enrollment', 'deferral_match_response') or event_category = 'own_change'
        ) as is_own_choice
    from {{ ref('int_deferral_changes') }}
    group by employee_id
),

states as (
    select
        people.employee_id,
        coalesce(elections.is_own_choice, people.has_made_own_choice) as has_made_own_choice,
        coalesce(elections.opted_out_on, people.last_opt_out_date) as last_opt_out_date,
        case
            when pending_enrollments.employee_id is not null then 'enrollment'
            when pending_opt_outs.employee_id is not null then 'opt_out'
        end as pending_kind,
        coalesce(pending_enrollments.pending_date, pending_opt_outs.pending_date) as pending_date,
        pending_enrollments.pending_rate,
        coalesce(pending_enrollments.pending_probability, pending_opt_outs.pending_probability) as pending_probability,
        coalesce(pending_enrollments.pending_draw, pending_opt_outs.pending_draw) as pending_draw,
        people.entry_dates_changed_in,
        {{ kept_entry('deferral_entry_date') }},
        {{ kept_entry('match_entry_date') }},
        {{ kept_entry('core_entry_date') }},
        {{ kept_entry('entry_basis') }},
        people.match_vested_floor,
        people.core_vested_floor
    from {{ ref('int_eligibility') }} as people
    left join elections
        on people.employee_id = elections.employee_id
    left join pending_enrollments
        on people.employee_id = pending_enrollments.employee_id
    left join pending_opt_outs
        on people.employee_id = pending_opt_outs.employee_id
    where people.termination_date is null
)

select
    {{ param('scenario_id') }} as scenario_id,
    {{ param('plan_design_id') }} as plan_design_id,
    {{ param('simulation_year') }} as simulation_year,
    employee_id,
    has_made_own_choice,
    last_opt_out_date,
    pending_kind,
    pending_date,
    pending_rate,
    pending_probability,
    pending_draw,
    entry_dates_changed_in,
    deferral_entry_date,
    match_entry_date,
    core_entry_date,
    entry_basis,
    match_vested_floor,
    core_vested_floor
from states
where
    has_made_own_choice
    or last_opt_out_date is not null
    or pending_kind is not null
    or entry_dates_changed_in is not null
    or match_vested_floor > 0
    or core_vested_floor > 0
