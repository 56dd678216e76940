-- Key figures are what they can be by the register of figures: it knows every figure, each lies within its bounds, and
-- counts are whole.
with

bounds as (
    select
        unnest({{ figure_list('name') }}) as metric,
        unnest({{ figure_list('lowest') }}) as lowest,
        unnest({{ figure_list('highest') }}) as highest
)

select
    figures.metric,
    figures.value,
    figures.unit
from {{ ref('fct_annual_metrics') }} as figures
left join bounds
    on figures.metric = bounds.metric
where
    figures.simulation_year = {{ param('simulation_year') }}
    and (
        bounds.metric is null
        or figures.value < bounds.lowest
        or figures.value > bounds.highest
        or (
            figures.unit in ('people', 'events')
            and not coalesce(figures.value = floor(figures.value), false)
        )
    )
