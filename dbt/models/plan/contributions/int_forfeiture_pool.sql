-- One row: the forfeitures there are to use this year, and what for.  Rev. Proc./Reg. section 1.401-7.
-- The pool is what was forfeited last year and what was carried over; in the first year it is the stated balance. Plan
-- expenses come first where they are paid from it; the rest reduces what the employer pays, or is reallocated to those
-- eligible at the year's end.
with

opening as (
    select
        coalesce(max(value) filter (where metric = 'forfeiture_total'), 0)
        + coalesce(max(value) filter (where metric = 'forfeitures_carried_forward'), 0)
        + case
            when {{ param('simulation_year') }} = {{ param('start_year') }}
                then {{ param('forfeiture_opening_balance') }}
            else 0
        end as pool
    from {{ source('ledger', 'fct_annual_metrics') }}
    where
        simulation_year = {{ param('simulation_year') }} - 1
        and {{ param('simulation_year') }} > {{ param('start_year') }}
)

select
    pool::decimal(18, 2) as pool,
    case
        when {{ param('forfeiture_use') }} = 'pay_expenses'
            then least(pool, {{ param('plan_expenses') }})
        else 0
    end::decimal(18, 2) as paid_expenses,
    case
        when {{ param('forfeiture_use') }} = 'reallocate' then pool
        else 0
    end::decimal(18, 2) as to_reallocate
from opening
