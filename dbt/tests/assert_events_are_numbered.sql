-- The events of a person in a year are numbered 1, 2, 3 and so on: each number once, none left out. Then of n events
-- just the bits 1 to n are set; nobody has a hundred events in a year.
select
    employee_id,
    count(*) as events,
    min(event_sequence) as first_sequence,
    max(event_sequence) as last_sequence
from {{ ref('fct_yearly_events') }}
where simulation_year = {{ param('simulation_year') }}
group by employee_id
having
    count(*) > 100
    or bit_or(case when event_sequence between 1 and 100 then 1::hugeint << event_sequence end)
    is distinct from (1::hugeint << (least(count(*), 100) + 1)::integer) - 2
