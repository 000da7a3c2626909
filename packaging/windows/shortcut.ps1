# Put the staff page into the Start menu (and, when asked, on the desktop). See docs/staff-page.md.
#
#   powershell -ExecutionPolicy Bypass -File shortcut.ps1 [-AllUsers] [-Desktop] [-Program FILE] [-Settings FILE]
#   powershell -ExecutionPolicy Bypass -File shortcut.ps1 -Remove [-AllUsers]
#
# Program: motesklar.exe as pipx, uv or a venv installed it. AllUsers needs an administrator, or the software
# distribution. ASCII only: Windows PowerShell reads a file without a mark by the system's code page.
[CmdletBinding()]
param(
    [switch]$AllUsers,
    [switch]$Desktop,
    [switch]$Remove,
    [string]$Program = "",
    [string]$Settings = ""
)
Set-StrictMode -Version 2.0
$ErrorActionPreference = "Stop"

$name = "M" + [char]0xF6 + "tesklar.lnk"
if ($AllUsers) { $menu = "CommonPrograms"; $desk = "CommonDesktopDirectory" } else { $menu = "Programs"; $desk = "DesktopDirectory" }
$inMenu = Join-Path ([Environment]::GetFolderPath($menu)) $name
$onDesktop = Join-Path ([Environment]::GetFolderPath($desk)) $name

if ($Remove) {
    foreach ($file in @($inMenu, $onDesktop)) {
        if (Test-Path -LiteralPath $file) { Remove-Item -LiteralPath $file }
    }
    Write-Output "shortcut: removed"
    exit 0
}

# Where the installers put it: the folder of docs/install.md, on the way to programs, pipx's and uv's folder.
if (-not $Program) {
    $candidates = @("$env:ProgramFiles\Motesklar\Scripts\motesklar.exe")
    $found = Get-Command motesklar.exe -CommandType Application -ErrorAction SilentlyContinue | Select-Object -First 1
    if ($found) { $candidates += $found.Path }
    $candidates += "$env:USERPROFILE\.local\bin\motesklar.exe"
    $Program = $candidates | Where-Object { Test-Path -LiteralPath $_ -PathType Leaf } | Select-Object -First 1
}
if (-not $Program -or -not (Test-Path -LiteralPath $Program -PathType Leaf)) {
    [Console]::Error.WriteLine("shortcut: motesklar.exe is not found; name it with -Program")
    exit 2
}
if ($Settings -and -not (Test-Path -LiteralPath $Settings -PathType Leaf)) {
    [Console]::Error.WriteLine("shortcut: there is no file $Settings")
    exit 2
}

$program = (Resolve-Path -LiteralPath $Program).ProviderPath
$arguments = "ui"
if ($Settings) { $arguments += ' --settings "' + (Resolve-Path -LiteralPath $Settings).ProviderPath + '"' }
$icon = Join-Path $PSScriptRoot "motesklar.ico"

function Save-Shortcut([string]$File) {
    $link = (New-Object -ComObject WScript.Shell).CreateShortcut($File)
    $link.TargetPath = $program
    $link.Arguments = $arguments
    $link.WorkingDirectory = Split-Path -Parent $program
    $link.Description = "Testa inf" + [char]0xF6 + "r videom" + [char]0xF6 + "tet"
    $link.WindowStyle = 7   # minimised: the page is in the browser, and the console window says what goes on
    if (Test-Path -LiteralPath $icon) {
        # beside the program, where it stays when this folder goes
        $kept = Join-Path (Split-Path -Parent $program) "motesklar.ico"
        Copy-Item -LiteralPath $icon -Destination $kept -Force
        $link.IconLocation = "$kept,0"
    }
    $link.Save()
}

Save-Shortcut $inMenu
if ($Desktop) { Save-Shortcut $onDesktop }
Write-Output "shortcut: $inMenu starts $program"
