<#
.SYNOPSIS
Asks this Windows machine what docs/windows.md lists as open, and prints the answers as a table to paste into an issue.
.DESCRIPTION
Builds hostgw.exe and tests/HostGw.Windows.Tests from this checkout and runs the latter. Needs an elevated PowerShell (5.1 or 7) and
the .NET 10 SDK. Routes lead to prefixes of documentation (192.0.2.0/24, 198.51.100.0/24, 203.0.113.0/24, 2001:db8::/32). Everything
made is removed at the end, also after Ctrl-C; what a killed run left is removed by the next. The exit code is 0 if no answer is "no".
.PARAMETER L2Bridge
Also has HNS bridge this machine's own network interface, as the agent does with windows.createNetwork. Interrupts the network.
.PARAMETER Force
With -L2Bridge: does not ask.
.PARAMETER NoBuild
Runs what an earlier call built.
#>
[CmdletBinding()]
param(
    [switch]$L2Bridge,
    [switch]$Force,
    [switch]$NoBuild
)

$ErrorActionPreference = 'Stop'
Set-StrictMode -Version 2.0
# PowerShell 7.4 may turn a program's exit code into an exception; 5.1 knows no such variable.
$PSNativeCommandUseErrorActionPreference = $false

$root = Split-Path -Parent (Split-Path -Parent $PSScriptRoot)
$artifacts = Join-Path $root 'artifacts'
$agent = Join-Path $artifacts 'hostgw-win-x64'
$tests = Join-Path $artifacts 'windows-tests'
$program = Join-Path $tests 'HostGw.Windows.Tests.exe'
$table = Join-Path $artifacts 'windows-verify.md'
$left = Join-Path ([Environment]::GetFolderPath('CommonApplicationData')) 'hostgw-verify'
$sdk = 'winget install Microsoft.DotNet.SDK.10, or https://dotnet.microsoft.com/download/dotnet/10.0'
$variables = 'VERIFY_PROGRAM', 'VERIFY_TABLE', 'VERIFY_L2BRIDGE'

function Stop-WithReason([string]$Reason) {
    Write-Host $Reason -ForegroundColor Red
    exit 1
}

function Publish-Project([string]$Project, [string]$Output, [string[]]$More) {
    if (Test-Path -LiteralPath $Output) {
        Remove-Item -LiteralPath $Output -Recurse -Force
    }
    & dotnet publish (Join-Path $root $Project) -c Release -v quiet -nologo -r win-x64 -o $Output $More | Out-Host
    if ($LASTEXITCODE -ne 0) {
        Stop-WithReason "dotnet publish $Project ended with $LASTEXITCODE"
    }
}

$me = New-Object Security.Principal.WindowsPrincipal ([Security.Principal.WindowsIdentity]::GetCurrent())
if (-not $me.IsInRole([Security.Principal.WindowsBuiltInRole]::Administrator)) {
    Stop-WithReason 'Administrator rights are missing: start PowerShell with "Run as administrator" and call this script again.'
}

if (-not $NoBuild) {
    if (-not (Get-Command dotnet -CommandType Application -ErrorAction SilentlyContinue)) {
        Stop-WithReason "The .NET 10 SDK is missing: $sdk"
    }
    if (-not (@(& dotnet --list-sdks) -match '^10\.')) {
        Stop-WithReason "There is a dotnet, but no .NET 10 SDK: $sdk"
    }
    Write-Host 'Building (the first time takes a few minutes).'
    Publish-Project 'src\HostGw' $agent @()
    Publish-Project 'tests\HostGw.Windows.Tests' $tests @('--self-contained')
}
elseif (-not (Test-Path -LiteralPath $program)) {
    Stop-WithReason "$program is missing: call this script without -NoBuild"
}

if ($L2Bridge -and -not $Force) {
    Write-Host 'HNS will put the interface of the default route behind a virtual switch, and take it out again at the end.'
    Write-Host 'Each time the network of this machine stops for some seconds: remote sessions may end, and it may fail to come back.'
    if ((Read-Host 'Type yes to go on') -ne 'yes') {
        Stop-WithReason 'Nothing was done.'
    }
}

$code = 1
try {
    if (Test-Path -LiteralPath $table) {
        Remove-Item -LiteralPath $table
    }
    $env:VERIFY_PROGRAM = Join-Path $agent 'hostgw.exe'
    $env:VERIFY_TABLE = $table
    $env:VERIFY_L2BRIDGE = if ($L2Bridge) { '1' } else { '0' }
    # Not in a pipeline: PowerShell would kill it at Ctrl-C, before it has removed what it made.
    & $program -noLogo -namespace HostGw.Windows.Tests.OnWindows
    $code = $LASTEXITCODE
}
finally {
    # If the program was killed, its next start removes what it made.
    if (Test-Path -LiteralPath $left) {
        $env:VERIFY_TABLE = Join-Path $artifacts 'windows-tidy.md'
        & $program -noLogo -class HostGw.Windows.Tests.OnWindows.TidyTests
        Remove-Item -LiteralPath $env:VERIFY_TABLE -ErrorAction SilentlyContinue
    }
    foreach ($variable in $variables) {
        Remove-Item -LiteralPath "Env:$variable" -ErrorAction SilentlyContinue
    }
    if (Test-Path -LiteralPath $table) {
        Get-Content -LiteralPath $table -Encoding UTF8 | Out-Host
        Write-Host "The table is in $table. Please paste it into an issue."
    }
}
if ($code -ne 0) {
    exit 1
}
exit 0
