-- Who is eligible for which contribution source from which day of the year, and on how much pay.
-- Eligible from the entry date on, unless the level of 1 January (or at hire) or a group of the census is excluded, in
-- any case of letters; the override of the census comes before that too. Plan compensation of a source = what is paid
-- from its entry date to the exit (or in the whole year), with the bonus or without, at most the limit of section
-- 401(a)(17), which is never prorated. Somebody first may join on the entry date, or on the 1 January on which an
-- exclusion has ended.
-- Long because of its columns: the plan reads everything about a person from here, in one pass over all.
with

exclusions as (
    select
        {{ excluded_names() }},
        coalesce(list(name) filter (where kind = 'level'), []) as levels
    from {{ parameters('excluded_groups') }}
),

people as (
    select
        employment.*,
        opening.was_eligible,
        {{ entry_after_rules('deferral_entry_date', 'deferral_entry_date') }},
        {{ entry_after_rules('match_entry_date', 'match_entry_date') }},
        {{ entry_after_rules('core_entry_date', 'core_entry_date') }},
        {{ entry_after_rules('entry_basis', 'deferral_entry_date') }},
        coalesce(entries.is_ruled_anew, false) as is_ruled_anew,
        opening.deferral_entry_date as former_deferral_entry_date,
        opening.match_entry_date as former_match_entry_date,
        opening.core_entry_date as former_core_entry_date,
        opening.entry_dates_changed_in as former_change,
        opening.eligibility_date as opening_eligibility_date,
        opening.match_vested_floor,
        opening.core_vested_floor,
        opening.plan_eligible_override is null
        and (
            list_contains(exclusions.levels, employment.level_id::varchar)
            or {{ is_in_excluded_group('names') }}
        ) as is_excluded,
        {{ is_in_excluded_group('bargained') }} as is_collectively_bargained,
        coalesce(opening.deferral_rate, 0)::decimal(9, 6) as opening_rate,
        opening.enrollment_date,
        opening.enrollment_method,
        coalesce(opening.has_opted_out, false) as has_opted_out,
        opening.last_opt_out_date,
        coalesce(opening.has_made_own_choice, false) as has_made_own_choice,
        coalesce(opening.auto_escalation_opt_out, false) as has_refused_escalation,
        coalesce(opening.escalation_count, 0) as escalation_count,
        opening.pending_kind,
        opening.pending_date,
        opening.pending_rate,
        opening.pending_probability,
        opening.pending_draw,
        coalesce(opening.prior_year_compensation, acquired.prior_year_compensation) as prior_year_compensation,
        coalesce(acquired.deferred_elsewhere, 0)::decimal(18, 2) as deferred_elsewhere,
        calendar.year_start
    from {{ ref('int_employment') }} as employment
    cross join {{ ref('stg_calendar') }} as calendar
    cross join exclusions
    left join {{ ref('int_opening_workforce') }} as opening
        on employment.employee_id = opening.employee_id
    left join {{ ref('int_acquired') }} as acquired
        on employment.employee_id = acquired.employee_id
    left join {{ ref('int_entry_dates') }} as entries
        on employment.employee_id = entries.employee_id
),

eligible as (
    select
        *,
        {{ eligible_from_day('deferral') }} as deferral_from_day,
        {{ eligible_from_day('match') }} as match_from_day,
        {{ eligible_from_day('core') }} as core_from_day,
        case
            when
                is_ruled_anew
                and (
                    deferral_entry_date is distinct from former_deferral_entry_date
                    or match_entry_date is distinct from former_match_entry_date
                    or core_entry_date is distinct from former_core_entry_date
                )
                then {{ param('simulation_year') }}
            else former_change
        end as entry_dates_changed_in,
        case
            when is_excluded or deferral_entry_date is null or deferral_entry_date > as_of then null
            when deferral_entry_date >= year_start then deferral_entry_date
            when not was_eligible then year_start
        end as first_may_join_on
    from people
)

select
    eligible.employee_id,
    eligible.is_new_hire,
    eligible.employee_birth_date,
    eligible.employee_hire_date,
    eligible.employee_service_date,
    eligible.level_id,
    eligible.termination_date,
    eligible.termination_reason,
    eligible.as_of,
    eligible.first_day,
    eligible.last_day,
    eligible.days_in_year,
    eligible.opening_cents,
    eligible.raise_day,
    eligible.raise_cents,
    eligible.promotion_day,
    eligible.promotion_cents,
    eligible.promoted_level_id,
    eligible.bonus_day,
    eligible.bonus_cents,
    eligible.plan_bonus_cents,
    eligible.age,
    eligible.completed_years,
    eligible.paid_cents,
    eligible.hundredths_of_hours,
    eligible.was_eligible,
    eligible.deferral_entry_date,
    eligible.match_entry_date,
    eligible.core_entry_date,
    eligible.entry_basis,
    eligible.entry_dates_changed_in,
    eligible.match_vested_floor,
    eligible.core_vested_floor,
    eligible.is_excluded,
    eligible.is_collectively_bargained,
    eligible.opening_rate,
    eligible.enrollment_date,
    eligible.enrollment_method,
    eligible.has_opted_out,
    eligible.last_opt_out_date,
    eligible.has_made_own_choice,
    eligible.has_refused_escalation,
    eligible.escalation_count,
    eligible.pending_kind,
    eligible.pending_date,
    eligible.pending_rate,
    eligible.pending_probability,
    eligible.pending_draw,
    eligible.prior_year_compensation,
    eligible.deferred_elsewhere,
    eligible.year_start,
    eligible.deferral_from_day,
    eligible.match_from_day,
    eligible.core_from_day,
    eligible.first_may_join_on,
    case
        when not eligible.is_excluded
            then coalesce(
                eligible.first_may_join_on,
                case
                    when eligible.deferral_entry_date is not distinct from eligible.former_deferral_entry_date
                        then eligible.opening_eligibility_date
                end,
                eligible.deferral_entry_date
            )
    end as eligibility_date,
    coalesce(
        {{ rounded_ratio(pay_days('eligible', 'eligible.deferral_from_day'), 'eligible.days_in_year') }}, 0
    ) as deferral_pay_cents,
    {{ plan_pay_cents('match') }} as match_pay_cents,
    {{ plan_pay_cents('core') }} as core_pay_cents
from eligible
cross join {{ ref('stg_irs_limits') }} as limits
