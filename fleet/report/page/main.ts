import type { PageData } from '../page-data'

const text = document.getElementById('data')?.textContent ?? '{}'
const data = JSON.parse(text) as PageData
const page = document.getElementById('page')
const main = document.createElement('main')
main.id = 'main'
main.textContent = `${data.hosts.length} hosts`
page?.append(main)
